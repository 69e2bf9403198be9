"""Reads reactions that mail programs send as separate mails: Gmail's part in JSON, and the words of Gmail, Outlook and
others for programs that cannot show it. gateway/inbound/mail_routing.py calls it; such a mail is never an update.
"""

import json
import re
from email.message import Message
from typing import Any, Final

from gateway.language.reactions.reactions import EMOJI
from gateway.language.words.normalize import clean
from gateway.mail.decode import body_parts, mime

_KINDS: Final = re.compile(r"text/vnd\.[\w.-]*reaction\+json")
_LARGEST: Final = 10_000  # octets
_LONGEST: Final = 400  # characters of a body that is only a reaction
_ONE: Final = re.compile(rf"(?:{EMOJI})")
# "Dave reacted to your message" as Outlook writes it, in the languages of its users.
_REACTED: Final = re.compile(
    r"(?:reacted to (?:your|this|the|an?) (?:message|e-?mail)|"
    r"hat auf (?:ihre|deine|diese) (?:nachricht|e-?mail) reagiert|"
    r"a réagi à (?:votre|ton|ce) (?:message|e-?mail|courriel)|"
    r"(?:ha reaccionado|reaccionó) a (?:su|tu|este) (?:mensaje|correo)|"
    r"ha reagito al (?:tuo|suo) (?:messaggio|e-?mail)|heeft (?:gereageerd )?op (?:uw|je) bericht(?: gereageerd)?|"
    r"reagiu à (?:sua|tua) mensagem|reagerade på (?:ditt|din) (?:meddelande|e-post)|"
    r"reagerede på (?:din|dit) (?:besked|meddelelse)|reagerte på (?:meldingen din|e-posten din)|reagoi viestiisi|"
    r"zareagował\w* na (?:twoją|pana|pani) wiadomość|reagoval\w* na (?:vaši|tvoji|vašu) (?:zprávu|správu)|"
    r"отреагировал\w*(?:\(а\))? на (?:ваше|твоё) сообщение|відреагува\w* на (?:ваше|твоє) повідомлення|"
    r"mesajınıza (?:tepki|ifade)\w*|reagált az üzenetére|a reacționat la mesajul|"
    r"(?:あなたの)?メッセージにリアクション|对你的邮件做出了?回应|메시지에 반응)",
    re.IGNORECASE,
)
_VIA: Final = re.compile(r".{1,80}\bGmail\b.{0,20}", re.IGNORECASE)
_LINK: Final = re.compile(r"<?https?://(?:www\.)?google\.com/gmail\S*>?")
_LIKE: Final = "like"


def mail_reaction(message: "Message[Any, Any]", words: str, trimmed: str = "") -> str | None:
    """What somebody reacted with, an emoji or "like"; None when the mail is no reaction. `words`: its own text;
    `trimmed`: what was cut off below, because "Kim Lee reacted …" may look like a signature."""
    for part in body_parts.leaves(message):
        if _KINDS.fullmatch(mime.kind(part)):
            return _of_json(mime.content(part)) or _first_emoji(words) or _LIKE
    return _of_words(words) or _of_words(f"{words}\n{trimmed}")


def _of_json(raw: bytes) -> str | None:
    try:
        said = json.loads(raw[:_LARGEST])
    except (ValueError, RecursionError):
        return None
    emoji = clean(str(said.get("emoji", ""))) if isinstance(said, dict) else ""
    return emoji if _ONE.fullmatch(emoji) else None


def _of_words(words: str) -> str | None:
    """Reads a short text that is only a reaction: an emoji and who sent it with which program, or a sentence of it."""
    if len(words) > _LONGEST:
        return None
    lines = [line.strip() for line in words.split("\n") if line.strip()]
    if len(lines) in (2, 3) and _ONE.fullmatch(lines[0]) and _VIA.fullmatch(lines[1].split("<http")[0].strip()):
        return lines[0] if _LINK.search(words) else None
    whole = " ".join(lines)
    found = _REACTED.search(whole)
    if found is None or len(lines) > 2 or not _is_rest(whole[found.end() :]):
        return None
    return _first_emoji(whole) or _LIKE


def _is_rest(after: str) -> bool:
    """Whether at most an emoji and punctuation follow: somebody who writes about a reaction says more."""
    return not any(map(str.isalnum, _ONE.sub("", after)))


def _first_emoji(words: str) -> str | None:
    found = _ONE.search(words)
    return found[0] if found else None
