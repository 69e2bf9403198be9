"""Mails that go out: composed once per message, then filled for each recipient in microseconds, by the workers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.generator import BytesGenerator
from email.header import decode_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from io import BytesIO

from gateway.language.markup import page
from gateway.language.mime import MALFORMED
from gateway.language.quotes import MARKER

__all__ = ["MARKER", "Template", "compose", "headline", "message_id"]

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SAFE = re.compile(r"<?[!#-;=?-~]{1,900}>?")  # what may be put in: visible ASCII, in one line, inside angle brackets
_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_SLOTS = ("to", "reply-to", "message-id", "unsubscribe-url", "unsubscribe-mail", "page-url")
_HOLES = tuple(f"{{{{critter.{name}}}}}" for name in _SLOTS)
_SHORT = 60  # characters of a link that fit into a line beside its tag
_HOLE = re.compile(rb"\{\{critter\.(" + "|".join(_SLOTS).encode() + rb")\}\}")


def message_id(message: int, address: int, domain: str) -> str:
    """Fixed by what is sent to whom, so that a mail sent twice is folded by the receiver."""
    return f"<critter.{message}.{address}@{domain}>"


def headline(text: str, longest: int = 78) -> str:
    """Any text as a subject: one line, shortened between words, nothing like an encoded word."""
    line = " ".join(_CONTROL.sub(" ", text).replace("=?", "= ?").split())
    return line if len(line) <= longest else line[:longest].rsplit(" ", 1)[0] + "…"


@dataclass(frozen=True, slots=True)
class Template:
    """A mail with holes: pieces of bytes, and which value stands at each odd place."""

    pieces: tuple[bytes, ...]
    places: tuple[tuple[int, int], ...]

    def fill(
        self, to: str, reply_to: str, message_id: str, unsubscribe_url: str, unsubscribe_mail: str, page_url: str = ""
    ) -> bytes:
        """The mail for one recipient, CRLF throughout. Raises ValueError for a value that is not visible ASCII."""
        values = (to, reply_to, message_id, unsubscribe_url, unsubscribe_mail, _soft(page_url))
        for value in (*values[:5], page_url):
            if value and _SAFE.fullmatch(value) is None:
                raise ValueError("a mail's address or link holds a character it cannot hold")
        filled = list(self.pieces)
        for at, slot in self.places:
            filled[at] = values[slot].encode()
        return b"".join(filled)


def compose(
    sender_name: str,
    sender: str,
    subject: str,
    text: str,
    *,
    date: datetime,
    critter_id: str,
    html: str | None = None,
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    list_id: str | None = None,
    list_post: str | None = None,
    bulk: bool = False,
    automatic: bool = False,
    unsubscribe: bool = True,
    with_page: bool = False,
) -> Template:
    """A message as a template. `html` is the inner HTML when not made from the text; `automatic` says that it
    answers a mail (RFC 3834: auto-replied); `bulk` that it fans out; `with_page` that it ends with the page's link.

    Raises ValueError when a value for a header holds control characters, also hidden in encoded words."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_one_line(sender_name), addr_spec=_one_line(sender))
    mail["To"] = "to@critter.invalid"
    mail["Subject"] = _one_line(subject)
    mail["Date"] = format_datetime(date)
    mail["Auto-Submitted"] = "auto-replied" if automatic else "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Critter-Id"] = _one_line(critter_id)
    _list(mail, list_id, list_post, bulk)
    _body(mail, text, html, with_page)
    return _template(mail, _thread(in_reply_to, references), unsubscribe)


def _one_line(value: str) -> str:
    """The value, refused when it would break out of its header now or once a reader decodes it."""
    if _CONTROL.search(value) or ("=?" in value and _CONTROL.search(_read(value))):
        raise ValueError("a mail's header holds a control character")
    return value.replace("{{critter.", "{ {critter.")


def _read(value: str) -> str:
    try:
        return "".join(
            each if isinstance(each, str) else each.decode(charset or "ascii", "replace")
            for each, charset in decode_header(value)
        )
    except MALFORMED:
        return "\n"


def _thread(in_reply_to: str | None, references: Sequence[str]) -> list[str]:
    """The fields that thread. Written by hand: the library turns long ids into encoded words, which thread nowhere."""
    chain = [_one_line(each) for each in dict.fromkeys((*references, in_reply_to or "")) if each]
    usable = [each for each in chain if _ID.fullmatch(each)]
    head = [f"In-Reply-To: {in_reply_to}"] if in_reply_to in usable else []
    if usable:
        head.append("References: " + "\r\n ".join((*usable[:1], *usable[1:][-9:])))
    return head


def _list(mail: EmailMessage, list_id: str | None, list_post: str | None, bulk: bool) -> None:
    if bulk:
        mail["Precedence"] = "bulk"
    if list_id:
        mail["List-Id"] = f"<{_one_line(list_id).strip('<>')}>"
    if list_post:
        mail["List-Post"] = f"<mailto:{_one_line(list_post)}>"


def _body(mail: EmailMessage, text: str, html: str | None, with_page: bool) -> None:
    """The text part is complete in itself; our marker stands above all so that replies can be cut there."""
    link = _HOLES[5] if with_page else ""
    written = "\n\n".join(filter(None, (MARKER, _lines(text), link))) + "\n"
    mail.set_content(written, cte="quoted-printable")
    rich = page(MARKER, _lines(text), _lines(html) if html is not None else None, link)
    mail.add_alternative(rich, subtype="html", cte="quoted-printable")


def _lines(text: str) -> str:
    text = re.sub("\r\n?|[\x85\u2028\u2029]", "\n", text)
    kept = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", "", text).rstrip()
    return kept.replace("{{critter.", "{ {critter.")


def _soft(url: str) -> str:
    """A link as quoted-printable writes it, lines of 76 at most (RFC 2045 6.7)."""
    if "=" not in url and len(url) <= _SHORT:
        return url
    chunks = (url[at : at + _SHORT].replace("=", "=3D") for at in range(0, len(url), _SHORT))
    return "=\r\n".join(chunks)


def _template(mail: EmailMessage, thread: list[str], unsubscribe: bool) -> Template:
    head = [f"Message-ID: {_HOLES[2]}", f"Reply-To: <{_HOLES[1]}>", *thread]
    if unsubscribe:
        head.append(f"List-Unsubscribe: <{_HOLES[3]}>, <mailto:{_HOLES[4]}>")
        head.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    raw = _bytes(mail).replace(b"To: to@critter.invalid\r\n", f"To: <{_HOLES[0]}>\r\n".encode(), 1)
    pieces = _HOLE.split("".join(line + "\r\n" for line in head).encode() + raw)
    places = tuple((at, _SLOTS.index(pieces[at].decode())) for at in range(1, len(pieces), 2))
    return Template(tuple(pieces), places)


def _bytes(mail: EmailMessage) -> bytes:
    out = BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=SMTP).flatten(mail)
    return out.getvalue()
