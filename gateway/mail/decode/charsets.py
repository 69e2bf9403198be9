"""Decodes bytes of a mail by the labels of the WHATWG encoding standard, and others found in mails. mime.py calls it.

A label is often wrong. So valid UTF-8 is read as UTF-8 whatever the label, then the label counts. A few bad octets are
replaced one by one, so that the other words stay readable.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Final

import webencodings

Decoder = Callable[[bytes], str]

# The codecs that the standard uses for these names, because Python's codec of that name knows fewer characters.
_LARGER: Final = {
    "gbk": ("gb18030",),
    "big5": ("big5hkscs", "cp950"),
    "euc-kr": ("cp949",),
    "shift_jis": ("cp932",),
    "windows-874": ("cp874",),
    "macintosh": ("mac-roman",),
    "x-mac-cyrillic": ("mac-cyrillic",),
    "iso-8859-8-i": ("iso8859-8",),
    "x-user-defined": (),
    "replacement": (),  # the standard refuses these charsets, but some occur in mails
}
# Python's codecs that are no charsets of mail, some of them slow; and UTF-7, in which "<" can look like words.
_REFUSED: Final = frozenset(
    {"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "utf-7"}
)
_WIDE: Final = ("utf-16", "utf-32", "iso2022", "iso-2022", "hz", "utf-7")
_NAMED: Final = re.compile(r"[\w.:+-]+")
_OTHER_LABELS: Final = {
    "gb-2312": "gbk",
    "gb": "gbk",
    "big-5": "big5",
    "cp51932": "euc-jp",
    "eucjp-ms": "euc-jp",
    "x-eucjp-ms": "euc-jp",
    "x-ms-cp932": "shift_jis",
    "x-mac-japanese": "shift_jis",
    "x-mac-ce": "mac-latin2",
    "x-mac-centraleurroman": "mac-latin2",
}
_CODE_PAGE: Final = re.compile(r"(?:x-?)?(?:cp|ibm|dos|windows|win)[-_ ]?(\d{3,5})")
_META: Final = re.compile(rb"<meta\b[^<>]{0,200}?\bcharset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_META_WITHIN: Final = 4096  # octets
_JAPANESE: Final = re.compile(rb"\x1b\$[@B]")
_ESCAPE: Final = re.compile(rb"\x1b(\$[@B]|\$\(D|\([BJI])")
_LATIN: Final = "cp1252"


def repair(raw: bytes, label: str | None) -> str:
    """Decodes bytes. It never fails: what cannot be read becomes U+FFFD."""
    name = _name(label)
    if name is None and _JAPANESE.search(raw):
        name = "iso-2022-jp"
    if not _wide(name):
        if (text := _strictly(raw, "utf-8")) is not None:
            return text
        if name in (None, "utf-8", "windows-1252") and _is_nearly_utf_8(raw):
            return raw.decode("utf-8", "replace")
    return _decoded(raw, name)


def is_wide(label: str | None) -> bool:
    """Whether text in this charset can be valid UTF-8 by its octets and still mean something else."""
    return _wide(_name(label)) or (label or "").strip(" \"'").lower().startswith(("utf-7", "unicode-1-1-utf-7"))


def is_refused(raw: bytes, label: str | None) -> bool:
    """Whether the text is UTF-7 that must be decoded to be read. It is not decoded, as in the standard."""
    seven = (label or "").strip(" \"'").lower() in ("utf-7", "utf7", "unicode-1-1-utf-7", "csunicode11utf7")
    return seven and b"+" in raw


def charset_of_html(raw: bytes) -> str | None:
    """The charset that an HTML document names itself, for when nothing else does."""
    found = _META.search(raw[:_META_WITHIN])
    name = found[1].decode("ascii", "ignore") if found else None
    return None if is_wide(name) else name  # the tag itself was read as ASCII


def is_known(label: str | None) -> bool:
    """Whether the label is a real statement. ASCII and Latin are none, because programs write them by default."""
    return _name(label) not in (None, "windows-1252")


def _wide(name: str | None) -> bool:
    return name is not None and name.startswith(_WIDE)


def _name(label: str | None) -> str | None:
    """The standard's name of the charset, or else Python's; None for what neither knows."""
    found = _NAMED.search((label or "").lower())
    if found is None:
        return None
    bare = found[0].strip(".:-")
    page = _CODE_PAGE.fullmatch(bare)
    bare = _OTHER_LABELS.get(bare, bare)
    candidates = (bare, f"windows-{page[1]}", f"cp{page[1]}") if page else (bare, bare.removeprefix("x-"))
    if bare.startswith("utf8"):
        return "utf-8"  # "utf8mb4" and its like
    for each in candidates:
        known = webencodings.lookup(each)
        if known is not None and known.name not in ("replacement", "x-user-defined"):
            return str(known.name)
    return next((name for each in candidates if (name := _of_python(each))), None)


def _of_python(label: str) -> str | None:
    try:
        name = codecs.lookup(label).name
        b"".decode(name)
    except (LookupError, UnicodeError, ValueError):  # base64, zip and the like are codecs too
        return None
    return None if name in _REFUSED else name


def _decoded(raw: bytes, name: str | None) -> str:
    """Decodes by the label when it fits, else as Windows Latin-1."""
    if name is None:
        return raw.decode(_LATIN, "replace")
    if name == "iso-2022-jp":
        return "".join(_japanese(raw))
    if name == "euc-jp":
        return "".join(_euc_japanese(raw))
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and name.startswith("utf-16"):
        name = "utf-16"  # the byte order mark says which one
    names = _LARGER.get(name, (name,))
    for each in names:
        if (text := _strictly(raw, each)) is not None:
            return text
    text = raw.decode(names[0], "replace")
    if _wide(name) or _is_mostly_read(text):
        return text
    return raw.decode(_LATIN, "replace")


def _is_mostly_read(text: str) -> bool:
    """Whether more characters outside ASCII were read than not: then the label is right, and some octets are bad."""
    bad = text.count("\ufffd")
    return sum(not character.isascii() for character in text) > 2 * bad


def _is_nearly_utf_8(raw: bytes) -> bool:
    """Whether it is UTF-8 with a few bad octets. Latin letters very rarely look like UTF-8 sequences."""
    return _is_mostly_read(raw.decode("utf-8", "replace"))


def _strictly(raw: bytes, name: str) -> str | None:
    try:
        return raw.decode(name)
    except (UnicodeError, LookupError):
        return None


def _japanese(raw: bytes) -> Iterator[str]:
    """ISO-2022-JP with the rows of NEC and IBM, which Japanese phones and Outlook use and Python's codec refuses."""
    pieces = _ESCAPE.split(raw)
    yield pieces[0].decode(_LATIN, "replace")
    for escape, octets in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape == b"$(D":
            yield _pairs(
                octets, lambda pair: (b"\x8f" + bytes(each | 0x80 for each in pair)).decode("euc_jp", "replace")
            )
        elif escape.startswith(b"$"):
            yield _pairs(octets, _kanji)
        elif escape == b"(I":
            yield "".join(
                bytes([each | 0x80]).decode("cp932", "replace") if each > 0x20 else chr(each) for each in octets
            )
        else:
            yield octets.decode(_LATIN, "replace")


def _pairs(octets: bytes, decode: Decoder) -> str:
    """Decodes two octets per character. Line ends may be between them, because some programs forget to switch back."""
    found, at = [], 0
    while at < len(octets):
        if not all(0x21 <= each <= 0x7E for each in octets[at : at + 2]) or at + 1 == len(octets):
            found.append(chr(octets[at]) if octets[at] in b"\r\n\t " else "\ufffd")
            at += 1
        else:
            found.append(decode(octets[at : at + 2]))
            at += 2
    return "".join(found)


def _kanji(pair: bytes) -> str:
    """Decodes a pair of JIS X 0208 in the Windows variant, by way of Shift_JIS."""
    row, cell = pair
    lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
    trail = cell + (0x1F + (cell > 0x5F) if row % 2 else 0x7E)
    return bytes([lead, trail]).decode("cp932", "replace")


_EUC: Final = re.compile(rb"\x8f[\xa1-\xfe]{2}|\x8e[\xa1-\xdf]|[\xa1-\xfe]{2}|[\x00-\x7f]+|.", re.DOTALL)


def _euc_japanese(raw: bytes) -> Iterator[str]:
    for match in _EUC.finditer(raw):
        octets = match[0]
        if octets[0] == 0x8E and len(octets) == 2:
            yield octets[1:].decode("cp932", "replace")
        elif len(octets) == 2 and octets[0] > 0xA0:
            yield _kanji(bytes(each & 0x7F for each in octets))
        else:
            yield octets.decode("euc_jp", "replace")
