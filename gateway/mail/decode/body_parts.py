"""Finds the parts of a mail that are its words, and reads them, or says why they cannot be read. own_words.py calls it.

Programs label parts wrongly, wrap them, or add a placeholder. Each part is read here as its writer meant it. What
cannot be read is reported: a subject alone, or the source of a mail, is never taken for the writer's words.
"""

import binascii
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from html import unescape
from typing import Any, Final, Literal, TypeAlias, cast

from gateway.errors import Refused
from gateway.language.words.normalize import clean
from gateway.mail.decode import charsets, mime, smime
from gateway.mail.decode.html_to_text import FENCE, hypertext
from gateway.mail.decode.text_enriched import to_plain
from gateway.mail.footers.signature_trimming import SIGNED

Unread = Literal["encrypted", "wrapped", "source", "unreadable"]
Mail: TypeAlias = "Message[Any, Any]"

# Types of text that are no words of the writer: what programs add, and files.
_NO_WORDS: Final = frozenset({
    "text/calendar", "text/x-calendar", "text/vcard", "text/x-vcard", "text/directory", "text/rfc822-headers",
    "text/x-amp-html", "text/watch-html", "text/css", "text/csv", "text/rtf", "text/xml", "text/javascript",
    "text/x-patch", "text/x-diff", "text/x-python", "text/x-sh", "text/x-c", "text/x-java", "text/x-log",
})  # fmt: skip
_NO_BODY: Final = frozenset({
    "application/smil", "application/pgp-signature", "application/pgp-keys", "application/pkcs7-signature",
    "application/x-pkcs7-signature", "application/ics", *(_NO_WORDS - {"text/rtf", "text/xml"}),
})  # fmt: skip
_HTML: Final = ("text/html", "application/xhtml+xml", "text/htm", "text/x-html", "application/html")
_CALLED_OTHERWISE: Final = frozenset({*_HTML, "application/text", "application/plain", "application/x-text"})
_ENRICHED: Final = ("text/enriched", "text/richtext")
SIGNED_KINDS: Final = ("application/pkcs7-mime", "application/x-pkcs7-mime")
TNEF_KINDS: Final = ("application/ms-tnef", "application/vnd.ms-tnef")
_NO_MARKS: Final = {ord(mark): None for mark in (FENCE, SIGNED)}
_MOST_LAYERS: Final = 3
# File names that programs, and not people, give to the text of a mail.
_PROGRAMS_NAME: Final = re.compile(
    r"(?:text|message|msg|body|mail|email|att|part|noname|unnamed|untitled|nachricht|mime|content)?[-_ ]?\d*"
    r"(?:\.(?:txt|text|html?|plain))?",
    re.IGNORECASE,
)
_LONGEST_ATTACHED: Final = 20_000  # octets of a file that may be the text of a mail
_PGP: Final = re.compile(r"^[ \t]*-----BEGIN PGP MESSAGE-----(?![^\n]*[?.!])", re.MULTILINE)
_PGP_OCTETS: Final = b"-----BEGIN PGP MESSAGE-----"
_TNEF_MAGIC: Final = b"\x78\x9f\x3e\x22"
_RIGHTS: Final = "application/x-microsoft-rpmsg-message"  # beside it is only a note that the mail is protected
_IN_PIECES: Final = ("message/partial", "message/external-body")
_HTML_SOURCE: Final = re.compile(
    r"\s*<(?:!doctype html|html|head|body|meta)\b[^<>]*>|"
    r"\s*<(?:div|p|table|span|font)\s[^<>]{0,300}=[^<>]{0,300}>.*>\s*$",
    re.IGNORECASE | re.DOTALL,
)
_FILE_SOURCE: Final = re.compile(r"\s*(?:BEGIN:V(?:CALENDAR|CARD|EVENT)\s|\{\\rtf1\b)")
_ANY_FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}:(?: |$)|[ \t]+\S")
_CODED_LETTER: Final = re.compile(r"=[C-F][0-9A-F](?:=[89AB][0-9A-F]){1,3}")
_FIELD: Final = re.compile(r"(?:content-[a-z-]{2,40}|mime-version)\s*:", re.IGNORECASE)
_GLUED: Final = re.compile(r"\s*(?:boundary|charset|format|delsp)=", re.IGNORECASE)  # nobody writes a line like this
_PARAMETER: Final = re.compile(r"\s*(?:boundary|charset|format|delsp|name|type|protocol|micalg)\s*=", re.IGNORECASE)
_BOUNDARY: Final = re.compile(r"--\S.{0,70}")
_FIRST_BOUNDARY: Final = re.compile(r"^--([\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])[ \t]*\ncontent-", re.MULTILINE | re.I)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")
_LEAST_BASE64: Final = 60  # characters
_LEAST_TOKEN: Final = 20
_SOFT_END: Final = re.compile(r"=$", re.MULTILINE)
_CODED: Final = re.compile(r"=(?:[0-9A-F]{2})")
_LEAST_CODED: Final = 2
_HEAD_LINES: Final = 20
_LEAST_FIELDS: Final = 3
_PLACEHOLDER: Final = re.compile(
    r"html|\bbrowser|navegador|navigateur|webbläsare|przegląd|браузер|ブラウザ|浏览器|瀏覽器|브라우저", re.IGNORECASE
)
_LONGEST_PLACEHOLDER: Final = 60  # words
_LEAST_SHARED: Final = 0.5  # share of the plain part's words that are also in the rich part, when both say the same
_WORD: Final = re.compile(r"[^\W_]+")
_ADDRESS: Final = re.compile(r"<?https?://\S+")
_UNSHOWN: Final = re.compile(r"<(style|script|head|title)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^<>]*>")
_LONGEST_HTML: Final = 200_000
_LEAST_WORDS: Final = 3  # letters and digits; an HTML part with fewer says nothing


@dataclass(frozen=True, slots=True)
class Body:
    """`text`: what is shown, with the marks of html_to_text.py; `unread`: why there is no text although there was a
    body."""

    text: str
    unread: Unread | None = None


def read(message: Mail) -> Body:
    """Reads the text of a mail. `message`: the result of `unwrap`. It never fails."""
    text = _shown(message, frozenset())
    if not text.strip():
        text = _shown(message, attached_words(message))
    if _PGP.search(text):
        return Body("", "encrypted")
    if is_source(text):
        return Body("", "source")
    if not text.strip() or _is_refused(message) or _is_protected(message):
        return Body("", _unread(message))
    return Body(text)


def unwrap(message: Mail) -> Mail:
    """The mail inside an opaque signature, or with misplaced fields or boundary repaired; else the mail itself."""
    for _ in range(_MOST_LAYERS):
        inner = _slipped(message) or _with_boundary(message) or _signed(message)
        if inner is None:
            break
        message = inner
    return message


def is_text(part: Mail) -> bool:
    """Whether a part of this type can be the text of a mail."""
    kind = mime.kind(part)
    if kind in _CALLED_OTHERWISE:
        return True
    return kind.startswith("text/") and kind not in _NO_WORDS and not kind.startswith("text/vnd.")


def is_attached(part: Mail) -> bool:
    """Whether the sender's program calls the part a file."""
    disposition = mime.tolerated(part.get_content_disposition, None)
    return disposition == "attachment" or (disposition == "inline" and bool(_name(part)))


def attached_words(message: Mail) -> frozenset[int]:
    """The numbers (by `id`) of attached parts that are the text, for a mail without other text: the part is the whole
    mail, or is inline, or has a name that programs give, or is the only one in a mail without a subject."""
    files = [part for part in leaves(message) if is_attached(part) and is_text(part) and _is_small(part)]
    if not files or _shown(message, frozenset()).strip():
        return frozenset()
    alone = files == [message] or (len(files) == 1 and not mime.field(message, "Subject").strip())
    return frozenset(id(part) for part in files if alone or _is_inline(part) or _PROGRAMS_NAME.fullmatch(_name(part)))


def _is_inline(part: Mail) -> bool:
    return mime.tolerated(part.get_content_disposition, None) == "inline"


def leaves(message: Mail) -> Iterator[Mail]:
    """The parts without subparts, in order. The inside of an attached mail is skipped."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        inside = [] if mime.kind(part).startswith("message/") else mime.children(part)
        waiting.extend(reversed(inside))
        if not inside:
            yield part


def is_source(text: str) -> bool:
    """Whether a text is the source of a mail and not its words: fields and boundaries, or nothing but encoded text."""
    lines = [line.strip() for line in text[:20_000].split("\n") if line.strip()]
    head = lines[:_HEAD_LINES]
    if _FILE_SOURCE.match(text) or _is_head(text):
        return True
    if head and _FIELD.match(head[0]) and any(map(_is_structure, head[1:])):
        return True
    for line, below in itertools.pairwise(head):
        if _BOUNDARY.fullmatch(line) and _FIELD.match(below):
            return True
    return _is_base64(lines) or _is_quoted_printable(text)


def _is_quoted_printable(text: str) -> bool:
    """Whether a text has soft line ends and encoded octets; nobody writes both by hand."""
    if len(_CODED_LETTER.findall(text)) >= _LEAST_CODED:
        return True
    return len(_SOFT_END.findall(text)) >= 1 and len(_CODED.findall(text)) >= _LEAST_CODED


def _is_head(text: str) -> bool:
    """Whether a text begins with all the fields of a mail, among them one that only programs write."""
    head = list(itertools.takewhile(_ANY_FIELD.match, text.lstrip("\n")[:20_000].split("\n")))
    return len(head) >= _LEAST_FIELDS and any(map(_FIELD.match, head))


def _is_structure(line: str) -> bool:
    return bool(_FIELD.match(line) or _PARAMETER.match(line) or _BOUNDARY.fullmatch(line))


def _is_base64(lines: list[str]) -> bool:
    """Whether the lines are long and only base64, with both cases and digits: a word in capitals does not count."""
    whole = "".join(lines)
    if _LEAST_TOKEN <= len(whole) < _LEAST_BASE64 and len(lines) == 1:
        return _says_words_in_base64(whole)
    if len(whole) < _LEAST_BASE64 or not all(map(_BASE64.fullmatch, lines)) or len(lines[0]) < _LEAST_BASE64 - 8:
        return False
    return any(map(str.isdigit, whole)) and any(map(str.isupper, whole)) and any(map(str.islower, whole))


def _says_words_in_base64(line: str) -> bool:
    """Whether a single short line decodes to several words: then it is text that lost its field, and no token."""
    if not _BASE64.fullmatch(line) or len(line) % 4:
        return False
    try:
        said = binascii.a2b_base64(line).decode()
    except ValueError:
        return False
    return " " in said.strip() and all(each.isprintable() or each.isspace() for each in said)


def _shown(part: Mail, chosen: frozenset[int]) -> str:
    """The text of a part: of alternatives the plainest with text, of other parts all in turn (RFC 2046, section
    5.1)."""
    kind = mime.kind(part)
    if not kind.startswith("message/") and (inside := mime.children(part)):
        return _alternative(inside, chosen) if kind == "multipart/alternative" else _in_turn(inside, chosen)
    if id(part) not in chosen and is_attached(part):
        return ""
    if kind.startswith("multipart/"):  # without parts it has lost its boundary, and is read as text
        return mime.text(part).translate(_NO_MARKS)
    return _words(part, kind) if is_text(part) else ""


def _words(part: Mail, kind: str) -> str:
    text = mime.text(part)
    if kind in _HTML:
        return hypertext(text)
    if kind == "text/plain" and _HTML_SOURCE.match(text[:_LONGEST_HTML]) and (shown := hypertext(text)).strip():
        return shown
    text = text.translate(_NO_MARKS)
    return to_plain(text) if kind in _ENRICHED else text


def _alternative(parts: list[Mail], chosen: frozenset[int]) -> str:
    """The plain part, unless it is a placeholder for the rich one; the next richer part when it is empty."""
    plainest = sorted(parts, key=lambda each: (mime.kind(each) != "text/plain", mime.kind(each) == "text/html"))
    texts = (text for each in plainest if clean(unescape(text := _shown(each, chosen))[:200]))
    first = next(texts, "")
    if mime.kind(plainest[0]) != "text/plain" or not _may_be_placeholder(first):
        return first
    *_, richest = ("", *texts)
    return richest if is_placeholder(first, richest) else first


def _may_be_placeholder(plain: str) -> bool:
    """Whether a plain part mentions HTML or a browser, or has only addresses. Checked before the rich part is read."""
    opening = plain[:5000]
    return bool(_PLACEHOLDER.search(opening)) or not _WORD.search(_ADDRESS.sub("", opening))


def is_placeholder(plain: str, rich: str) -> bool:
    """Whether `plain` is a program's note about HTML or a browser, and shares few words with the rich part."""
    words = [word.casefold() for word in _WORD.findall(_ADDRESS.sub("", plain[:5000]))]
    if len(words) > _LONGEST_PLACEHOLDER or not _may_be_placeholder(plain):
        return False
    said = {word.casefold() for word in _WORD.findall(rich)}
    return bool(said) and sum(word in said for word in words) <= _LEAST_SHARED * len(words)


def _in_turn(parts: list[Mail], chosen: frozenset[int]) -> str:
    """The texts of the parts in turn. HTML after plain text is skipped, because it only says the same again."""
    texts: list[str] = []
    plain = False
    for part in parts:
        kind = mime.kind(part)
        if plain and kind in _HTML:
            if _may_be_placeholder(texts[-1]) and is_placeholder(texts[-1], text := _shown(part, chosen)):
                texts[-1] = text
            continue
        text = _shown(part, chosen)
        if text.strip():
            texts.append(text)
            plain = plain or kind == "text/plain"
    return "\n\n".join(texts)


def _unread(message: Mail) -> Unread | None:
    """Why a mail has no text that can be read; None when nothing was written."""
    kinds = [mime.kind(part) for part in (message, *leaves(message))]
    if not {"multipart/encrypted", "application/pgp-encrypted", _RIGHTS}.isdisjoint(kinds):
        return "encrypted"
    for part in leaves(message):
        kind = mime.kind(part)
        if kind in _IN_PIECES:
            return "unreadable"
        if not kind.startswith("image/") and mime.content(part)[:100].lstrip().startswith(_PGP_OCTETS):
            return "encrypted"
        if _is_cms(part):
            return "unreadable" if smime.SIGNED_DATA in mime.content(part)[:64] else "encrypted"
        if kind in TNEF_KINDS or _name(part).lower() == "winmail.dat" or mime.content(part)[:4] == _TNEF_MAGIC:
            return "wrapped"
        if is_text(part) and not is_attached(part) and _says_something(part):
            return "unreadable"
        if _is_unknown(part, kind):
            return "unreadable"
    return None


def _is_protected(message: Mail) -> bool:
    return any(mime.kind(part) == _RIGHTS for part in leaves(message))


def _is_cms(part: Mail) -> bool:
    return mime.kind(part) in SIGNED_KINDS or _name(part).lower().endswith(".p7m")


def _is_unknown(part: Mail, kind: str) -> bool:
    """Whether a part is a body of an unknown type: it has no name, as files have, and is no picture, sound or film."""
    if is_text(part) or is_attached(part) or _name(part) or kind.startswith(("image/", "audio/", "video/", "message/")):
        return False
    return not kind.startswith("multipart/") and kind not in _NO_BODY and bool(mime.content(part).strip())


def _says_something(part: Mail) -> bool:
    """Whether a part contains words, although none could be read."""
    if charsets.is_refused(mime.content(part), mime.charset(part)):
        return True
    raw = str(_payload(part) or "")[:_LONGEST_HTML] if mime.content(part) == b"" else mime.text(part)[:_LONGEST_HTML]
    bare = unescape(_TAG.sub(" ", _UNSHOWN.sub(" ", raw))) if mime.kind(part) == "text/html" else clean(raw)
    return sum(map(str.isalnum, bare)) >= _LEAST_WORDS


def _is_refused(message: Mail) -> bool:
    shown = (part for part in leaves(message) if is_text(part) and not is_attached(part))
    return any(charsets.is_refused(mime.content(part), mime.charset(part)) for part in shown)


def _is_small(part: Mail) -> bool:
    return len(mime.content(part)) <= _LONGEST_ATTACHED


def _payload(part: Mail) -> object:
    return mime.tolerated(lambda: cast(object, part.get_payload()), None)


def _name(part: Mail) -> str:
    return mime.decode_words(str(mime.tolerated(part.get_filename, None) or ""))


def _signed(message: Mail) -> "Mail | None":
    """The mail inside an opaque signature; None when there is other text, since the signature is then a file."""
    part = next((each for each in leaves(message) if _is_cms(each)), None)
    if part is None or (part is not message and _shown(message, frozenset()).strip()):
        return None
    content = smime.signed_content(mime.content(part))
    return _opened(content) if content is not None else None


def _slipped(message: Mail) -> "Mail | None":
    """Repairs a mail whose Content fields are below a blank line, or were folded without a blank; else None."""
    if mime.children(message) or mime.kind(message) not in ("text/plain", "multipart/alternative", "multipart/mixed"):
        return None
    written = _payload(message)
    body = str(written).lstrip("\r\n") if isinstance(written, str) else ""
    head, found, rest = _split(body)
    if not found:
        return None
    before = mime.tolerated(lambda: str(message["content-type"] or ""), "").rstrip("; \t")
    if _GLUED.match(head[0]) and before:
        head = [f"Content-Type: {before};", *head]
    lines = [f" {line.strip()}" if _PARAMETER.match(line) else line for line in head]
    if not any(line.lower().startswith("content-type") for line in lines):
        return None
    return _opened("\n".join([*lines, "", rest]).encode("utf-8", "surrogateescape"))


def _with_boundary(message: Mail) -> "Mail | None":
    """Repairs a multipart mail whose fields lack the right boundary, by the first boundary in the body; else None."""
    if mime.children(message) or not mime.kind(message).startswith("multipart/"):
        return None
    body = str(_payload(message) or "")
    found = _FIRST_BOUNDARY.search(body[:10_000].replace("\r\n", "\n"))
    if found is None:
        return None
    head = f'Content-Type: {mime.kind(message)}; boundary="{found[1]}"\n\n'
    inner = _opened((head + body).encode("utf-8", "surrogateescape"))
    return inner if inner is not None and mime.children(inner) else None


def _split(body: str) -> tuple[list[str], bool, str]:
    """The lines at the top that are fields, whether a blank line ends them, and the rest below them."""
    head: list[str] = []
    lines = body[:10_000].replace("\r\n", "\n").split("\n")
    for line in lines[:_HEAD_LINES]:
        folded = bool(head) and line[:1] in (" ", "\t")
        if not (_FIELD.match(line) or _PARAMETER.match(line) or folded):
            break
        head.append(line)
    ends = len(head) < len(lines) and not lines[len(head)].strip()
    rest = body.replace("\r\n", "\n").split("\n", len(head))[-1] if head else ""
    return head, bool(head) and ends, rest.removeprefix("\n")


def _opened(raw: bytes) -> "Mail | None":
    try:
        return mime.parse(raw)
    except Refused:
        return None
