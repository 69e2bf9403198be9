"""Mails that go out: composed once per message, source and language, then filled for each recipient in microseconds, by
the workers."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import datetime
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from io import BytesIO
from typing import Final

from gateway.mail.compose import headers
from gateway.mail.compose.byte_template import ByteTemplate, compile_template
from gateway.mail.compose.dkim_signer import DkimKey, PreparedSignature, prepare_signature
from gateway.mail.compose.html_part import page
from gateway.mail.compose.layout import MailLayout
from gateway.mail.history.reply_marker import MARKER

__all__ = ["MARKER", "ListHeaders", "Template", "compose", "headline", "message_id"]

_SAFE = re.compile(r"<?[!#-;=?-~]{1,900}>?")  # what may be put in: visible ASCII, in one line, inside angle brackets
_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_SLOTS = ("to", "reply-to", "message-id", "unsubscribe-url", "unsubscribe-mail", "stop-link", "files-link")
_HOLES = tuple(f"{{{{critter.{name}}}}}" for name in _SLOTS)
_SHORT = 60  # characters of a link that fit into a line beside its tag
_BARE: Final = MailLayout()

headline = headers.label


def message_id(message: int, address: int, domain: str) -> str:
    """Fixed by what is sent to whom, so that a mail sent twice is folded by the receiver."""
    return f"<critter.{message}.{address}@{domain}>"


@dataclass(frozen=True, slots=True)
class ListHeaders:
    """What a subscription's mail says of its list (RFC 2369, 2919): its id, and where one posts, joins and gets help.
    `post` is NO when nobody but its owners may."""

    id: str
    post: str = ""
    subscribe: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A mail with holes, and what is signed of it."""

    mail: ByteTemplate
    seal: PreparedSignature | None = None

    def fill(
        self,
        to: str,
        reply_to: str,
        message_id: str,
        unsubscribe_url: str = "",
        unsubscribe_mail: str = "",
        files_link: str = "",
    ) -> bytes:
        """The mail for one recipient, CRLF throughout. Raises ValueError for a value that is not visible ASCII."""
        values = (to, reply_to, message_id, unsubscribe_url, unsubscribe_mail)
        for value in (*values, files_link):
            if value and _SAFE.fullmatch(value) is None:
                raise ValueError("a mail's address or link holds a character it cannot hold")
        written = tuple(value.encode() for value in (*values, _soft(unsubscribe_url), _soft(files_link)))
        content = self.mail.fill(written)
        return self.seal.fields(written) + content if self.seal else content


def compose(
    sender_name: str,
    sender: str,
    subject: str,
    text: str,
    *,
    date: datetime,
    critter_id: str,
    frame: MailLayout = _BARE,
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    lists: ListHeaders | None = None,
    automatic: bool = False,
    keys: Sequence[DkimKey] = (),
    with_files: bool = False,
) -> Template:
    """A message as a template. `automatic` says that it answers a mail (RFC 3834: auto-replied); `lists` that it fans
    out and can be ended by its link; `keys` sign it; `with_files`: below its words stands
    the link to what hangs on it.

    Raises ValueError when a value for a header holds control characters, also hidden in encoded words."""
    head = [
        ("From", headers.mailbox(sender_name, sender)),
        ("To", f"<{_HOLES[0]}>"),
        ("Subject", headers.words(subject)),
        ("Date", format_datetime(date)),
        ("Message-ID", _HOLES[2]),
        ("Reply-To", f"<{_HOLES[1]}>"),
        *_thread(in_reply_to, references),
        ("Auto-Submitted", "auto-replied" if automatic else "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-Critter-Id", headers.one_line(critter_id)),
        *(_list(lists) if lists else ()),
    ]
    kind, body = _body(_tidied(frame), _plain(text), bool(lists), _HOLES[6] if with_files else "")
    head += [("MIME-Version", "1.0"), ("Content-Type", kind)]
    raw = "".join(f"{name}: {value}\r\n" for name, value in head).encode() + b"\r\n" + body
    return Template(_bored(raw), prepare_signature(head, body, keys, _bored) if keys else None)


def _thread(in_reply_to: str | None, references: Sequence[str]) -> list[tuple[str, str]]:
    """The fields that thread. Gmail wants the subject to be the same as well, and Outlook makes its own topic of it."""
    chain = [headers.one_line(each) for each in dict.fromkeys((*references, in_reply_to or "")) if each]
    usable = [each for each in chain if _ID.fullmatch(each)]
    found = [("In-Reply-To", in_reply_to)] if in_reply_to and in_reply_to in usable else []
    if usable:
        found.append(("References", "\r\n ".join((*usable[:1], *usable[1:][-9:]))))
    return found


def _list(lists: ListHeaders) -> list[tuple[str, str]]:
    """A list's fields; it is ended with one click (RFC 8058), by a link and by mail."""
    found = [("Precedence", "bulk"), ("List-Id", f"<{headers.one_line(lists.id).strip('<>')}>")]
    for name, target in (("List-Post", lists.post), ("List-Subscribe", lists.subscribe), ("List-Help", lists.help)):
        if target:
            found.append((name, target if target == "NO" else f"<mailto:{headers.one_line(target)}>"))
    return [
        *found,
        ("List-Unsubscribe", f"<{_HOLES[3]}>,\r\n <mailto:{_HOLES[4]}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ]


def _body(frame: MailLayout, text: str, ends: bool, files: str) -> tuple[str, bytes]:
    """The type and the two parts: the same facts in both, and our marker above all so that replies can be cut there."""
    link = _HOLES[5] if ends else ""
    mail = EmailMessage(policy=SMTP)
    mail.set_content(_written(frame, "\n".join(filter(None, (text, files))), link), cte="quoted-printable")
    mail.add_alternative(page(frame, text, link, files), subtype="html", cte="quoted-printable")
    mail.set_boundary("=_critter_" + _unlike(text))
    out = BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=SMTP).flatten(mail)
    _, _, body = out.getvalue().partition(b"\r\n\r\n")
    return f'multipart/alternative; boundary="{mail.get_boundary()}"', body


def _unlike(text: str) -> str:
    """No line of a quoted-printable part can hold `=_` (RFC 2045 6.7); what follows tells ours from a quoted mail's."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _written(frame: MailLayout, text: str, link: str) -> str:
    """The plain part, complete in itself. What its writer did not say is below a signature's line (RFC 3676 4.3)."""
    by = f"{frame.by}:" if frame.by else ""
    ending = f"{frame.reason} {frame.stop}:\n{link}" if frame.stop and link else frame.reason
    footer = "\n".join(filter(None, ("-- ", ending, frame.sender)))
    return "\n\n".join(filter(None, (frame.marker, by, text, frame.hint, footer))) + "\n"


def _tidied(frame: MailLayout) -> MailLayout:
    """Names of people stand in it, so that each of its lines must stay one."""
    return MailLayout(*(" ".join(_plain(getattr(frame, each.name)).split()) for each in dataclass_fields(frame)))


def _plain(text: str) -> str:
    text = re.sub("\r\n?|[\x85\u2028\u2029]", "\n", text)
    kept = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", "", text).rstrip()
    return kept.replace("{{critter.", "{ {critter.")


def _soft(url: str) -> str:
    """A link as quoted-printable writes it, lines of 76 at most (RFC 2045 6.7)."""
    if "=" not in url and len(url) <= _SHORT:
        return url
    chunks = (url[at : at + _SHORT].replace("=", "=3D") for at in range(0, len(url), _SHORT))
    return "=\r\n".join(chunks)


def _bored(raw: bytes) -> ByteTemplate:
    return compile_template(raw, _SLOTS)
