"""Recognises a forwarded mail by the line above it or by its subject. It is kept whole. quote_trimming.py calls it."""

import re

from gateway.mail.decode.subjects import REPLY

_FORWARD = re.compile(
    r"^[>\s*]*(?:[-_‐–—]{2,}+\s*(?:Forwarded (?:by|message|mail|e-mail).{0,60}|(?:Weitergeleitete|"
    r"Weitergel\.) ?(?:Nachricht|E-?Mail|Mail)|"
    r"(?:Message|Courriel|E-?mail) (?:transféré|réexpédié)|Mensaje reenviado|Messaggio inoltrato|Inoltrato|"
    r"Doorgestuurd bericht|Mensagem (?:encaminhada|reencaminhada)|Videresendt (?:meddelelse|melding|besked|"
    r"e-?mail|mail)|"
    r"Vidarebefordrat (?:meddelande|mail)|(?:Przekazana wiadomość|Wiadomość przekazana dalej|Wiadomość przekazana)|"
    r"Пересыла?емое сообщение|Пересланное сообщение|Пересланное письмо|Конец пересылаемого сообщения|"
    r"Přeposlaná zpráva|Välitetty viesti|Edelleenlähetetty viesti|İletilen ileti|Továbbított üzenet|"
    r"转发的邮件|轉寄郵件|转发邮件|已转发邮件|转发邮件信息|轉寄的郵件|"
    r"転送メッセージ|転送されたメッセージ|전달된 메시지)\s*[-_‐–—]*[\s*]*|"
    r"(?:Begin forwarded message|Anfang der weitergeleiteten (?:Nachricht|E-?Mail)|"
    r"Début du (?:message|courriel) (?:réexpédié|transféré)|Inicio del mensaje reenviado|Inizio messaggio inoltrato|"
    r"Begin doorgestuurd bericht|Início da mensagem (?:encaminhada|reencaminhada)|Start på videresendt besked|"
    r"Videresendt (?:besked|melding|e-post)|Vidarebefordrat (?:brev|meddelande)|Start på vidarebefordrat brev|"
    r"Początek przekazywanej wiadomości|Начало переадресованного сообщения|Начало пересылаемого сообщения|"
    r"下面是被转发的邮件|开始转发的邮件|以下是轉寄的郵件|"
    r"転送されたメッセージ|전달된 메시지 시작)\s*[:：]?\s*)$",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"^\s*(?:fwd?|fw|wg|tr|rv|i|enc|doorst|vb|pd|vl|转发|轉寄|転送|전달)(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)
_EITHER = re.compile(r"^\s*vs\s*:", re.IGNORECASE)
_NORDIC = re.compile(r"^[>*\s]{0,4}Fra\s?:", re.MULTILINE)
_REPLIED = re.compile(rf"^\s*(?:{REPLY})\.?\s?\d{{0,3}}(?:\[\d+\]|\(\d+\))?\s*[:：]", re.IGNORECASE)


def forward(line: str) -> bool:
    """Whether it is the line that programs put above a forwarded mail."""
    return len(line) < 160 and bool(_FORWARD.match(line))


def find_forwarded(subject: str, body: str = "") -> bool:
    """Whether the subject says "forwarded". "VS:" means that in Norway and Denmark; in Finland it is a reply."""
    if _EITHER.match(subject):
        return bool(_NORDIC.search(body))
    return bool(_SUBJECT.match(subject))


def find_replied(subject: str) -> bool:
    """Whether the subject says that the mail is a reply."""
    return bool(_REPLIED.match(subject))
