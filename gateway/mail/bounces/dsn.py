"""Reads a bounce: whether and why a mail of ours was not delivered. gateway/inbound/bounce_intake.py calls it; pure.

A delivery status (RFC 3464) is read first: Action, Status (RFC 3463) and, where that says little, the server's words.
Other forms are left to flufl.bounce, which knows the old ones. An automatic note that somebody is away comes to the
same addresses, but it is no bounce: it gives None.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from typing import Any, Final, Literal

from flufl.bounce import all_failures

from gateway.mail.decode import mime
from gateway.mail.decode.html_to_text import hypertext

Kind = Literal["hard", "soft", "delayed", "delivered", "relayed"]

STATUS_TYPES: Final = ("message/delivery-status", "message/global-delivery-status")
RETURNED_TYPES: Final = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global")
# The beginnings of actions: some servers write "fail" or "error", or add a comment.
ACTIONS: Final[dict[str, Kind]] = {
    "fail": "hard",
    "error": "hard",
    "delay": "delayed",
    "deliver": "delivered",
    "expand": "delivered",
    "relay": "relayed",
}
WORST_FIRST: Final = ("hard", "soft", "delayed", "delivered", "relayed")
MOST_WORDS: Final = 100_000  # octets or characters of a mail without a delivery status that are searched
# What flufl.bounce raises for malformed mails, besides what the standard library raises (found by fuzzing).
MALFORMED: Final = (*mime.MALFORMED, MessageError, IndexError, KeyError, AssertionError)

_CODE: Final = re.compile(r"(?<![\d.])([245])\.([0-7])\.(\d{1,3})(?![\d.]*\d)")
_REPLY: Final = re.compile(r"(?<![\d.])([45])\d\d[ :-]+#?(?:([45])\.(\d{1,3})\.(\d{1,3})(?!\d))?")
_GENERIC: Final = re.compile(r"[45]\.0\.0")
# Servers that give a general code say the reason in words. The order counts: "full" often comes with "unavailable".
_WORDS: Final = tuple(
    (re.compile(words, re.IGNORECASE), detail)
    for words, detail in (
        (
            r"quota|mailbox (?:is )?full|full mailbox|out of (?:storage )?space|storage limit|insufficient storage",
            "2.2",
        ),
        (
            r"(?:user|recipient|mailbox|account|address|alias)s?\b[^.\n]{0,60}?"
            r"(?:unknown|not found|not exist|n't exist|no longer|not listed)"
            r"|(?:unknown|no such) (?:user|recipient|mailbox|account|address|person)"
            r"|doesn't have an? [^\n]{0,40}account|no mailbox here",
            "1.1",
        ),
        (r"disabled|inactive|suspended|discontinued|deactivated", "2.1"),
        (r"spam|blocked|black ?list|block ?list|reputation|policy|dmarc|\bspf\b|dkim|not authori[sz]ed|denied", "7.1"),
        (r"too (?:large|big)|exceeds?\b[^.\n]{0,40}size", "3.4"),
        (r"(?:host|domain)\b[^.\n]{0,80}not found|no such domain|name or service not known", "1.2"),
        (r"timed? ?out|time expired|retry timeout|too long", "4.7"),
    )
)
_PLAIN_DELAY: Final = re.compile(r"\bdelay|will (?:continue|retry|be retried)|not yet|still (?:trying|being)", re.I)


@dataclass(frozen=True, slots=True)
class BounceReport:
    """`status` is the RFC 3463 code, "5.1.1"; empty when it is not known. After a hard or soft failure the mail is not
    tried again; a relayed mail went on to a server that sends no further reports."""

    kind: Kind
    status: str = ""

    @property
    def failed(self) -> bool:
        return self.kind in ("hard", "soft")


def read(message: "Message[Any, Any]") -> BounceReport | None:
    """What the report says of the one recipient that the mail was for; None when it is no bounce. Never raises."""
    found = [bounce for block in _blocks(message) if (bounce := _by_status(block))]
    if found:
        return min(found, key=lambda bounce: WORST_FIRST.index(bounce.kind))
    if _answers(message):
        return None
    return _by_fields(message) or _by_form(message) or _by_words(message)


def find_original(message: "Message[Any, Any]") -> Iterator["Message[Any, Any]"]:
    """The returned mails inside a bounce, whole or headers only: parts of such a type, and what Exim, qmail and others
    quote below a line of dashes."""
    for part in _parts(message):
        if mime.kind(part) in RETURNED_TYPES:
            inside = mime.children(part)
            yield inside[0] if inside else BytesParser().parsebytes(mime.content(part), headersonly=True)
    if mime.kind(message) == "text/plain":
        for piece in _QUOTED.split(_words(message))[1:]:
            yield BytesParser().parsebytes(piece.lstrip().encode("utf-8", "replace"), headersonly=True)


_QUOTED: Final = re.compile(
    r"^(?:-{2,}.*(?:copy|original|returned|below).*|-{2,} ?(?:Original|Returned) message.*)$", re.MULTILINE | re.I
)


def _parts(message: "Message[Any, Any]") -> Iterator["Message[Any, Any]"]:
    """All parts, except those of a mail inside it, which may contain a report of its own."""
    waiting = [message]
    while waiting:
        part = waiting.pop(0)
        yield part
        if mime.kind(part) not in (*RETURNED_TYPES, *STATUS_TYPES):
            waiting[:0] = mime.children(part)


def _blocks(message: "Message[Any, Any]") -> Iterator["Message[Any, Any]"]:
    """The groups of fields for each recipient; some servers leave out the first group, which is about the mail."""
    for part in _parts(message):
        if mime.kind(part) in STATUS_TYPES:
            yield from mime.children(part) or [BytesParser().parsebytes(mime.content(part))]


def _by_status(block: "Message[Any, Any]") -> BounceReport | None:
    action = mime.field(block, "Action").lower()
    kind = next((kind for begins, kind in ACTIONS.items() if action.startswith(begins)), None)
    status, said = mime.field(block, "Status"), mime.field(block, "Diagnostic-Code")
    if kind is None and not (action or _CODE.search(status)):
        return None
    code = _code(status, said)
    if kind is None:  # an unknown action: its code decides
        kind = "delivered" if code.startswith("2") else "hard"
    return BounceReport(_hardness(code) if kind == "hard" else kind, code)


def _hardness(code: str) -> Kind:
    """5.x.x is a permanent failure, 4.x.x a temporary one; a failure without a code counts as temporary."""
    return "hard" if code.startswith("5") else "soft"


def _code(status: str, said: str, major: str = "") -> str:
    """The most precise code: the status, else the code in the server's reply, else what its words mean. `major` is the
    class (4 or 5) when nothing else says it."""
    plain = match[0] if (match := _CODE.search(status)) else ""
    if plain and not _GENERIC.fullmatch(plain):
        return plain
    if match := _CODE.search(said):
        if not _GENERIC.fullmatch(match[0]):
            return match[0]
        plain = plain or match[0]
    major = plain[:1] or ((reply := _REPLY.search(said)) and reply[1]) or major
    detail = next((detail for words, detail in _WORDS if words.search(said)), "")
    return f"{major}.{detail}" if major and detail else plain or (f"{major}.0.0" if major else "")


def _answers(message: "Message[Any, Any]") -> bool:
    """Whether it is an auto-responder's note and no server's (RFC 3834: auto-replied). Servers may write that too, but
    then with a report, or with the failed recipients."""
    auto = mime.field(message, "Auto-Submitted").lower()
    return auto.startswith("auto-replied") and not mime.field(message, "X-Failed-Recipients")


def _by_form(message: "Message[Any, Any]") -> BounceReport | None:
    """For a mail without a delivery status: flufl.bounce says whether it is a bounce, the server's words say why."""
    try:
        temporary, permanent = all_failures(_shortened(message))
    except MALFORMED:
        return None
    if not temporary and not permanent:
        return None
    code = _code("", _said(_words(message)), "5" if permanent else "4")
    if permanent:
        return BounceReport(_hardness(code), code)
    return BounceReport(
        "soft" if code.startswith("5") and not _PLAIN_DELAY.search(_words(message)) else "delayed", code
    )


# Senders and subjects of reports, for mails that have neither a status nor a known form.
_DAEMON: Final = re.compile(
    r"mailer-?daemon|mail ?delivery|postmaster|undeliver|bounce|system administrator|delivery (?:sub)?system", re.I
)
_RETURNED: Final = re.compile(
    r"undeliver|deliver\w* (?:\w+ ){0,3}(?:fail|error|problem)|fail\w* (?:\w+ ){0,2}(?:deliver|notice)|"
    r"return(?:ed|ing) (?:\w+ )?(?:mail|message|to sender)|mail (?:delivery|system) (?:fail|error)|"
    r"delivery (?:status )?(?:notification|report)|non[- ]?(?:delivery|remis)|unzustellbar|nicht zugestellt|"
    r"zustellung|non recapitabil|mancat[oa] (?:consegna|recapito)|no (?:se )?(?:pudo )?entreg|non (?:distribu|remis)|"
    r"onbestelbaar|não (?:entreg|pôde)|niedoręcz|niet bezorgd|kan ikke leveres|olevererbar|"
    r"не доставлен|недоставлен|配信不能|無法傳遞|退信|반송",
    re.IGNORECASE,
)
_FAILED: Final = re.compile(
    r"(?:could|can|was|were|is|has) ?(?:not|n't|n’t|not be|not been) (?:be |been )?(?:delivered|sent|found|accepted)|"
    r"(?:could|can)(?:not|n't| not) (?:\w+ )?(?:deliver|send|reach)|undeliver|"
    r"(?:deliver\w*|delivery|address\w*)\b[^.\n]{0,60}\b(?:fail|error|reject|incorrect|problem)|"
    r"(?:fail|error)\w*\b[^.\n]{0,40}\bdeliver|permanent(?:ly)? (?:fatal )?(?:error|fail)|returned to (?:the )?sender|"
    r"konnte[n]? nicht (?:\w+ )?(?:zugestellt|übermittelt)|nicht zugestellt|n['’]a (?:pas )?pu être|no (?:se )?pudo|"
    r"non (?:è stato possibile|può essere|(?:è|sono) stat\w (?:consegn|recapit)\w+)|"
    r"no (?:ha sido|fue|pudo ser) (?:posible )?entreg|n['’]a pas (?:été|pu être) (?:remis|distribu|livr)|"
    r"kon niet worden|não (?:pôde|foi)|nie (?:można|mogła)|не удалось|невозможно|"
    r"fehler bei der (?:nachrichten)?zustellung|zustellung fehlgeschlagen|échec de (?:la )?(?:remise|distribution)|"
    r"error (?:de|en la) entrega|(?:consegna|recapito) non riuscit|bezorg\w* (?:is )?mislukt|falha (?:na|de) entrega|"
    r"leverans\w* misslyckades|levering\w* mislyk|nie powiodło się|toimitus epäonnistui|doručení se nezdařilo|"
    r"配信できません|無法|无法|전송되지",
    re.IGNORECASE,
)
_FIELD: Final = re.compile(
    r"^(?:Final-Recipient|Original-Recipient|Action|Status|Diagnostic-Code|Remote-MTA)[ \t]*:[^\n]*(?:\n[ \t]+[^\n]+)*",
    re.MULTILINE | re.IGNORECASE,
)


def _by_fields(message: "Message[Any, Any]") -> BounceReport | None:
    """Reads the fields of a delivery status in the text of the mail, where some servers write them."""
    found = _FIELD.findall(_said(_all_words(message)))
    if not found:
        return None
    return _by_status(BytesParser().parsebytes("\n".join(found).encode("utf-8", "replace")))


def _by_words(message: "Message[Any, Any]") -> BounceReport | None:
    """Reads a server's own form: a machine's name in From or a subject that says so, a sentence of failure, and a code
    or words that tell what failed."""
    sent_by = " ".join(mime.fields(message, "From"))
    said = _said(_all_words(message))
    if not (_DAEMON.search(sent_by) or _RETURNED.search(mime.field(message, "Subject"))) or not _FAILED.search(said):
        return None
    code = _code("", said)
    later = _PLAIN_DELAY.search(f"{mime.field(message, 'Subject')}\n{said}")
    if later and not code.startswith("5"):
        return BounceReport("delayed", code)
    if not code:
        detail = next((detail for words, detail in _WORDS if words.search(said)), "")
        return BounceReport("hard", f"5.{detail}") if detail else BounceReport("soft")
    return BounceReport(_hardness(code), code)


def _all_words(message: "Message[Any, Any]") -> str:
    """The plain text, else the HTML as text: some servers write reports in HTML only."""
    if plain := _words(message).strip():
        return plain
    texts = [hypertext(mime.text(part)) for part in _parts(message) if mime.kind(part) == "text/html"]
    return "\n".join(texts)[:MOST_WORDS]


def _shortened(message: "Message[Any, Any]") -> "Message[Any, Any]":
    """A shorter copy for flufl.bounce, whose patterns are slow on long lines and need only the beginning."""
    raw = mime.tolerated(message.as_bytes, b"")[:MOST_WORDS]
    short = BytesParser().parsebytes(b"\n".join(line[:1000] for line in raw.split(b"\n")))
    sent_by = " ".join(mime.fields(short, "From"))
    del short["From"]
    short["From"] = sent_by if sent_by.isascii() and "@" in sent_by else "MAILER-DAEMON@localhost"  # it needs one
    for part in _parts(short):  # flufl.bounce would read the returned mail too
        if mime.kind(part) in RETURNED_TYPES:
            part.set_payload("")
    return short


def _words(message: "Message[Any, Any]") -> str:
    texts = [mime.text(part) for part in _parts(message) if mime.kind(part) == "text/plain"]
    return "\n".join(texts)[:MOST_WORDS]


def _said(words: str) -> str:
    """The text of the notice itself, without the mail that it quotes."""
    return _QUOTED.split(words)[0][:4000]
