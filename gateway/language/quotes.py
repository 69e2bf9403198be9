"""Cuts a mail's text into what its writer wrote and what stands below it: our marker, quoted history, signatures.

letters.py calls it. Everything works line by line, so that no mail takes longer than its length."""

import re
from dataclasses import dataclass

from mailparser_reply.constants import MAIL_LANGUAGES

from gateway.language.marker import MARKER, is_marked
from gateway.language.signatures import without_signature

_WROTE = (
    "wrote|writes|schrieb|geschrieben|a écrit|ecrit|escribió|escribio|ha scritto|schreef|geschreven|"
    "escreveu|skrev|napisał|"
    "napisała|napsal|kirjoitti|"
    "написал|написала|пише|yazdı|írta|a scris|написа|έγραψε|đã viết|menulis|写道|寫道|のメール|작성"
)
_ATTRIBUTION = re.compile(
    rf"^(?=.*(?:@|\b(?:19|20)\d\d\b|\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}}|[年월]|\d:\d\d)).*(?:{_WROTE}).*[:：]$",
    re.IGNORECASE,
)
_KNOWN = tuple(
    re.compile(patterns["wrote_header"], re.IGNORECASE)
    for patterns in MAIL_LANGUAGES.values()
    if "wrote_header" in patterns
)
_HEADERS = (
    "From|Sent|Date|To|Subject|Cc|Reply-To|Von|Gesendet|Datum|An|Betreff|De|Envoyé|Date|À|A|Objet|"
    "Enviado(?: el)?|Fecha|Para|"
    "Asunto|Da|Inviato|Data|Oggetto|Van|Verzonden|Aan|Onderwerp|Enviada(?: em)?|Assunto|Fra|Sendt|Til|"
    "Emne|Från|Skickat|"
    "Till|Ämne|Od|Wysłano|Do|Temat|DW|Odesláno|Komu|Předmět|Lähettäjä|Lähetetty|Vastaanottaja|Aihe|От|"
    "Отправлено|Кому|Тема|"
    "Дата|Kimden|Gönderildi|Kime|Konu|"
    "发件人|发送时间|收件人|主题|抄送|差出人|送信日時|宛先|件名|보낸 사람|보낸 날짜|받는 사람|제목"
)
_HEADER = re.compile(rf"^[>*\s]*(?:{_HEADERS})\s*\*?\s*[:：]", re.IGNORECASE)
_ORIGINAL = re.compile(
    r"^[>\s]*(?:-{2,}|_{2,})\s*(?:Original Message|Original Appointment|Ursprüngliche Nachricht|Originalnachricht|"
    r"Message d.origine|Mensaje original|Messaggio originale|Oorspronkelijk bericht|Mensagem original|"
    r"Oprindelig meddelelse|Ursprungligt meddelande|Opprinnelig melding|Wiadomość oryginalna|Alkuperäinen viesti|"
    r"Původní zpráva|Исходное сообщение|原始邮件|元のメッセージ|원본 메시지)\s*(?:-{2,}|_{2,})?\s*$",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"^[>\s]*(?:-{2,}\s*(?:Forwarded message|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado|"
    r"Messaggio inoltrato|Doorgestuurd bericht|Mensagem encaminhada|Videresendt (?:meddelelse|melding)|"
    r"Vidarebefordrat meddelande|Przekazana wiadomość|Пересылаемое сообщение)\s*-*|Begin forwarded message:|"
    r"Anfang der weitergeleiteten (?:Nachricht|E-Mail):|Début du message (?:réexpédié|transféré)\s*:|"
    r"Inicio del mensaje reenviado:|Inizio messaggio inoltrato:|Begin doorgestuurd bericht:)\s*$",
    re.IGNORECASE,
)
_LONGEST_ATTRIBUTION = 400


__all__ = ["MARKER", "Cut", "cut"]


@dataclass(frozen=True, slots=True)
class Cut:
    """The writer's own text, what was cut off below or above it, and whether history was among that."""

    own: str
    trimmed: str
    history: bool = False
    forwarded: bool = False


def cut(text: str, forwarded: bool = False) -> Cut:
    """What the writer wrote. `forwarded`: the subject says that the rest was sent on, so all of it stays."""
    lines = text.split("\n")
    marker = next((at for at, line in enumerate(lines) if is_marked(line)), None)
    if marker is not None:
        above = _cut(lines[:marker], forwarded)
        if above.own:
            return Cut(above.own, _joined([above.trimmed, *lines[marker:]]), history=True, forwarded=above.forwarded)
        lines = [line for line in lines if not is_marked(line)]
    return _cut(lines, forwarded)


def _cut(lines: list[str], forwarded: bool) -> Cut:
    start, is_forward = _history(lines)
    if forwarded or is_forward:
        return Cut(_joined(lines), "", forwarded=True)
    above, below = lines[:start], lines[start:]
    own, answer = _own(above, below)
    text, signature = without_signature(own)
    if below and answer is None and not _joined(text):
        return Cut("", _joined(lines), history=True)
    trimmed = [*signature, *(below if answer is None else answer)]
    return Cut(_joined(text), _joined(trimmed), history=bool(below))


def _own(above: list[str], below: list[str]) -> tuple[list[str], list[str] | None]:
    """The writer's lines, and what is cut when they wrote below or between quotes (else None)."""
    quoted = [at for at, line in enumerate(below) if _is_quote(line)]
    if not quoted:
        return above, None
    after, _ = without_signature(below[quoted[-1] + 1 :])
    between = [
        line
        for line in below[quoted[0] : quoted[-1]]
        if line.strip() and not _is_quote(line) and not _attribution(line)
    ]
    if not _joined(after) and not between:
        return above, None
    first, _ = without_signature(above)
    if not _joined(first) and not between:
        return below[quoted[-1] + 1 :], below[: quoted[-1] + 1]
    return [*above, *below], []


def _history(lines: list[str]) -> tuple[int, bool]:
    """Where quoted history begins (the number of lines when nowhere), and whether it was forwarded instead."""
    for at, line in enumerate(lines):
        if not line.strip():
            continue
        if _FORWARD.match(line):
            return at, True
        if _is_quote(line) or _ORIGINAL.match(line) or _from_block(lines, at) or _attribution_at(lines, at):
            return at, False
    return len(lines), False


def _is_quote(line: str) -> bool:
    """A quoted line; the prompt of a Python session is none."""
    return line.startswith(">") and not line.startswith(">>> ")


def _attribution_at(lines: list[str], at: int) -> bool:
    """`On …, Kim wrote:` in one line, or wrapped into two or three."""
    joined = ""
    for line in lines[at : at + 3]:
        if not line.strip() or _is_quote(line):
            return False
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > _LONGEST_ATTRIBUTION:
            return False
        if joined.endswith((":", "：")):
            return _attribution(joined)
    return False


def _attribution(line: str) -> bool:
    line = line.strip("> \t")
    if len(line) > _LONGEST_ATTRIBUTION or not line.endswith((":", "：")):
        return False
    return bool(_ATTRIBUTION.match(line) or (re.search(r"\d", line) and any(each.match(line) for each in _KNOWN)))


def _from_block(lines: list[str], at: int) -> bool:
    """Outlook's block of header lines: one that begins here, and two more among the next five lines."""
    if not _HEADER.match(lines[at]) and not re.fullmatch(r"\s*[-_]{10,}\s*", lines[at]):
        return False
    found = [line for line in lines[at : at + 6] if _HEADER.match(line)]
    return len(found) >= 3


def _joined(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")
