"""Detects a file's type by its bytes, whatever its name, and decides whether it is passed on. Doors and workers ask."""

import io
import re
import unicodedata
import zipfile
from pathlib import PurePosixPath
from typing import Final, Literal

from gateway.language.words.normalize import clean

PICTURES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")  # re-encoded before they are stored
PLAYED: Final = ("audio/amr", "audio/mp4", "audio/mpeg", "video/mp4", "video/3gpp")
DOCUMENTS: Final = {
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/vcard": ".vcf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.presentation": ".odp",
}
ENDINGS: Final = {
    **DOCUMENTS,
    **dict(zip(PICTURES, (".jpg", ".png", ".gif", ".webp"), strict=True)),
    **dict(zip(PLAYED, (".amr", ".m4a", ".mp3", ".mp4", ".3gp"), strict=True)),
}
ALSO: Final = {"image/jpeg": (".jpeg", ".jpe"), "text/plain": (".csv", ".tsv", ".md", ".log", ".text", ".diff")}
_OOXML: Final = "application/vnd.openxmlformats-officedocument."
_OFFICE: Final = (  # the part that only this type of document has (ECMA-376)
    ("word/document.xml", _OOXML + "wordprocessingml.document"),
    ("xl/workbook.xml", _OOXML + "spreadsheetml.sheet"),
    ("ppt/presentation.xml", _OOXML + "presentationml.presentation"),
)
ENCRYPTED: Final = ("application/pkcs7-mime", "application/x-pkcs7-mime")
UNKNOWN: Final = "application/octet-stream"

Why = Literal["program", "web page", "archive", "metadata", "macros", "unknown", "empty"]

# The first bytes by T.81 (JPEG), PNG, GIF87a and 89a, ISO 32000 (PDF), RFC 4867 (AMR), MP3 with and without ID3.
_FIRST: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"BEGIN:VCARD", "text/vcard"),
)
# ISO 14496-12 brands. A HEIC or AVIF picture contains where it was taken, and Pillow cannot re-encode it.
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "image/heic"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"M4A ", b"M4B "), "audio/mp4"),
    b"qt  ": "video/quicktime",
}
_PROGRAMS: Final = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa",
                    b"#!", b"L\x00\x00\x00\x01\x14\x02\x00", b"\xd0\xcf\x11\xe0", b"dex\n", b"\x00asm")  # fmt: skip
_ARCHIVES: Final = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"MSCF")
_RUNS: Final = re.compile(
    r"\.(?:bat|cmd|com|cpl|dll|exe|hta|jar|js|jse|lnk|msc|msi|pif|ps1|psm1|py|reg|scf|scr|sh|url|vb|vbe|vbs|ws|wsf|wsh)$",
    re.IGNORECASE,
)
_MARKUP: Final = re.compile(
    rb"<\s*(?:(?:!doctype|html|head|body|script|svg|iframe|meta|style|object)\b|\?xml)", re.IGNORECASE
)
# File names that Exchange and list servers give to footers, and to empty lines between pictures.
LIST_FOOTER: Final = re.compile(r"ATT\d{5,6}\.(?:txt|htm|html|c|bin)", re.IGNORECASE)
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_LOOKED_AT: Final = 4096  # octets of a text that are searched for markup
_LONGEST_NAME: Final = 80


def sniff(content: bytes | bytearray) -> str:
    """The type by the bytes; application/octet-stream when it is none of the types known here."""
    for start, kind in _FIRST:
        if content.startswith(start):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        brand = bytes(content[8:12])
        return _BRANDS.get(brand) or ("video/3gpp" if brand.startswith(b"3g") else "video/mp4")
    if content.startswith(b"PK\x03\x04"):
        return _office(bytes(content))
    return "text/plain" if _is_text(bytes(content)) else UNKNOWN


def explain_refusal(content: bytes, name: str) -> Why | None:
    """Why the file is not passed on; None when it is."""
    kind = sniff(content)
    if not content:
        return "empty"
    if _RUNS.search(name) or (kind == UNKNOWN and content.startswith(_PROGRAMS)):
        return "program"
    if kind in ENDINGS:
        return "macros" if content.startswith(b"PK") and b"vbaProject" in content else None
    if kind.startswith("image/"):
        return "metadata"
    if content.startswith(_ARCHIVES):
        return "archive"
    if _MARKUP.search(content[:_LOOKED_AT]):
        return "web page"
    return "unknown"


def bare_type(name: str) -> str:
    """A file name in one line, without a path, direction marks, or characters that would break a header or a page."""
    line = " ".join(unicodedata.normalize("NFC", clean(name)).split())
    return re.sub(r'[<>:"|?*%;{}]', "_", re.split(r"[/\\]", line)[-1]).strip(". ")[-_LONGEST_NAME:]


def name_file(name: str, kind: str) -> str:
    """A file's bare name with the ending of its real type, so that no program opens it as something else."""
    whole = bare_type(name)
    ending = PurePosixPath(whole).suffix.lower()
    right = ENDINGS.get(kind, ".bin")
    fits = ending == right or ending in ALSO.get(kind, ())
    stem = whole[: -len(ending)] if fits else whole
    return (stem.strip(". ") or noun(kind)) + (ending if fits else right)


def noun(kind: str | None) -> str:
    """The word for this type in a text to a person."""
    first = (kind or "").partition("/")[0]
    return {"image": "photo", "audio": "sound", "video": "video"}.get(first, "file")


def _is_text(content: bytes) -> bool:
    """Whether it is readable text without markup, which a browser could show as a page."""
    if not content or _CONTROL.search(content) or _MARKUP.search(content[:_LOOKED_AT]) or content.startswith(b"#!"):
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _office(content: bytes) -> str:
    """The type of an office document by the names in its zip. Only its directory is read, so no zip bomb unpacks."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = set(packed.namelist()[:2000])
            first = packed.infolist()[0]
            if first.filename == "mimetype" and first.file_size < 100:
                claimed = packed.read(first).decode("ascii", "replace").strip()
                return claimed if claimed in DOCUMENTS else UNKNOWN
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, IndexError, RuntimeError):
        return UNKNOWN
    return next((kind for part, kind in _OFFICE if part in names), UNKNOWN)
