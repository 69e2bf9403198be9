"""Files as people and attackers send them, made here: pictures with what cameras write, bombs, programs, documents."""

import io
import struct
import zipfile
import zlib
from email.message import EmailMessage
from typing import Any

from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

GPS = (48.0, 51.0, 29.6)
MAKER = "Secret Camera 9000"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><photographer>Dana Secret</photographer></x:xmpmeta>'


def picture(width: int = 640, height: int = 480, form: str = "JPEG", **how: Any) -> bytes:
    """A gradient that is red at the top left and blue at the bottom."""
    image = Image.linear_gradient("L").resize((width, height))
    made = Image.merge("RGB", (image.point(lambda level: 255 - level), Image.new("L", image.size), image))
    out = io.BytesIO()
    made.save(out, form, **how)
    return out.getvalue()


def from_a_camera(orientation: int = 6, **how: Any) -> bytes:
    """A JPEG with GPS, maker, a comment, XMP and an orientation."""
    exif = Image.Exif()
    exif[0x010F] = MAKER
    exif[0x0112] = orientation
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", tuple(IFDRational(round(part * 10), 10) for part in GPS)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return picture(exif=exif, comment=MAKER.encode(), xmp=XMP, icc_profile=profile, **how)


def moving(form: str, frames: int = 3, size: tuple[int, int] = (200, 160)) -> bytes:
    """Frames of one colour each, 120 ms apart, with a comment where the form has one."""
    made = [Image.new("RGB", size, (80 * number % 256, 40, 200)) for number in range(frames)]
    out = io.BytesIO()
    more = {"comment": MAKER.encode()} if form == "GIF" else {}
    made[0].save(out, form, save_all=True, append_images=made[1:], duration=120, loop=0, **more)
    return out.getvalue()


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few kilobytes that says it has 900 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def office(part: str, *more: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name in ("[Content_Types].xml", part, *more):
            packed.writestr(name, "<x/>")
    return out.getvalue()


def open_document(kind: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("mimetype", kind)
        packed.writestr("content.xml", "<x/>")
    return out.getvalue()


MADE = {
    "jpg": picture(),
    "png": picture(form="PNG"),
    "pdf": b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n",
    "txt": "caffè, 3 boxes\n".encode(),
    "exe": b"MZ\x90\0" + b"\0" * 60,
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "zip": b"PK\x05\x06" + b"\0" * 18,
}


def enclose(
    mail: EmailMessage, name: str, content: bytes | None = None, kind: str = "application/octet-stream"
) -> None:
    """Attaches a file under a name; what it is, its ending says."""
    made = MADE[name.rpartition(".")[2]] if content is None else content
    main, _, sub = kind.partition("/")
    mail.add_attachment(made, maintype=main, subtype=sub, filename=name)
