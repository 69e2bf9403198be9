"""Composes outgoing mails once per message, source and language; the workers then fill them for each recipient in
microseconds."""

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

_SAFE = re.compile(r"<?[!#-;=?-~]{1,900}>?")  # allowed values: visible ASCII in one line, in angle brackets or not
_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_SLOTS = ("to", "reply-to", "message-id", "unsubscribe-url", "unsubscribe-mail", "stop-link", "files-link")
_HOLES = tuple(f"{{{{critter.{name}}}}}" for name in _SLOTS)
_SHORT = 60  # characters of a link that fit into a line together with its tag
_BARE: Final = MailLayout()

headline = headers.label


def message_id(message: int, address: int, domain: str) -> str:
    """The Message-ID, fixed by message and address, so that the receiver can fold a mail that was sent twice."""
    return f"<critter.{message}.{address}@{domain}>"


@dataclass(frozen=True, slots=True)
class ListHeaders:
    """The list headers of a subscription's mail (RFC 2369, 2919): the list's id, and the addresses to post, join and
    get help. `post` is NO when only its owners may post."""

    id: str
    post: str = ""
    subscribe: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A mail to fill for each recipient, and its prepared signature."""

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
    """Composes a message as a template. `automatic`: it answers a mail (RFC 3834: auto-replied); `lists`: it is fanned
    out and has a link to unsubscribe; `keys` sign it; `with_files`: the link to its files is below its words.

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
    """The fields for threads. Gmail also needs the same subject, and Outlook takes its topic from the subject."""
    chain = [headers.one_line(each) for each in dict.fromkeys((*references, in_reply_to or "")) if each]
    usable = [each for each in chain if _ID.fullmatch(each)]
    found = [("In-Reply-To", in_reply_to)] if in_reply_to and in_reply_to in usable else []
    if usable:
        found.append(("References", "\r\n ".join((*usable[:1], *usable[1:][-9:]))))
    return found


def _list(lists: ListHeaders) -> list[tuple[str, str]]:
    """The fields of a list. One unsubscribes with one click (RFC 8058), by a link or by mail."""
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
    """Content-Type and body: two parts with the same facts, and our marker above them, where replies are cut later."""
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
    """A hash for the boundary. No quoted-printable line has `=_` (RFC 2045 6.7); a quoted mail has another hash."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _written(frame: MailLayout, text: str, link: str) -> str:
    """The plain part, complete in itself. What the writer did not say is below a signature's "-- " (RFC 3676 4.3)."""
    by = f"{frame.by}:" if frame.by else ""
    ending = f"{frame.reason} {frame.stop}:\n{link}" if frame.stop and link else frame.reason
    footer = "\n".join(filter(None, ("-- ", ending, frame.sender)))
    return "\n\n".join(filter(None, (frame.marker, by, text, frame.hint, footer))) + "\n"


def _tidied(frame: MailLayout) -> MailLayout:
    """The layout with each value in one line, because values contain people's names."""
    return MailLayout(*(" ".join(_plain(getattr(frame, each.name)).split()) for each in dataclass_fields(frame)))


def _plain(text: str) -> str:
    text = re.sub("\r\n?|[\x85\u2028\u2029]", "\n", text)
    kept = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", "", text).rstrip()
    return kept.replace("{{critter.", "{ {critter.")


def _soft(url: str) -> str:
    """A link in quoted-printable, in lines of 76 characters at most (RFC 2045 6.7)."""
    if "=" not in url and len(url) <= _SHORT:
        return url
    chunks = (url[at : at + _SHORT].replace("=", "=3D") for at in range(0, len(url), _SHORT))
    return "=\r\n".join(chunks)


def _bored(raw: bytes) -> ByteTemplate:
    return compile_template(raw, _SLOTS)
