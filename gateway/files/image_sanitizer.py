"""Re-encodes a picture: its pixels upright, in sRGB, without anything else from the camera (EXIF, GPS, XMP, comments).

Pictures come from strangers and decoders have security bugs, so `sanitize` runs this file as a separate process with
little memory and time. It imports nothing of ours. workers/media calls it.
"""

import io
import json
import math
import resource
import string
import struct
import subprocess
import sys
import warnings
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError

PIXELS: Final = 50_000_000  # of one picture, as from a large camera
MOVING: Final = 100_000_000  # of all frames of an animation together
FRAMES: Final = 500
SMALL: Final = 1024  # the longest side of the small copy
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP")
BLUR: Final = (4, 3)  # terms of a blurhash, across and down
BLUR_SIDE: Final = 32  # of the copy that it is made of
BASE83: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase + "#$%*+,-.:;=?@[]^_{|}~"
MEMORY: Final = 2 << 30  # octets of address space
SECONDS: Final = 20  # of processor time
PATIENCE: Final = 60  # seconds of real time, for a busy machine
TYPES: Final = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
ALONE: Final = (sys.executable, "-I", __file__)  # isolated: no environment settings, no modules from the current folder
TOO_SLOW: Final = "took too long"
HEAD: Final = struct.Struct(">I")


class UnusableImage(Exception):
    """The picture cannot be re-encoded: "too large", "broken" or "took too long"."""


@dataclass(frozen=True, slots=True)
class SanitizedImage:
    """The picture to keep, its type, and a small copy when it is larger than SMALL. `width`, `height`: in pixels, as it
    stands upright; `blurhash`: what an app draws until the picture is there."""

    content: bytes
    type: str
    small: bytes | None
    width: int
    height: int
    blurhash: str


def sanitize(content: bytes) -> SanitizedImage:
    """Re-encodes a picture in a process that cannot harm this one. Raises UnusableImage."""
    try:
        done = subprocess.run(ALONE, input=content, capture_output=True, timeout=PATIENCE, env={})
    except subprocess.TimeoutExpired:
        raise UnusableImage(TOO_SLOW) from None
    if done.returncode or len(done.stdout) < HEAD.size:
        raise UnusableImage("broken")
    (length,) = HEAD.unpack_from(done.stdout)
    head, rest = json.loads(done.stdout[HEAD.size :][:length]), done.stdout[HEAD.size + length :]
    if why := head.get("why"):
        raise UnusableImage(why)
    sides = head["width"], head["height"]
    return SanitizedImage(rest[: head["size"]], head["type"], rest[head["size"] :] or None, *sides, head["blurhash"])


def measure(content: bytes) -> tuple[int, int] | None:
    """Width and height from the header, without decoding; None when it cannot be read. Raises UnusableImage for a
    picture that is too large to re-encode."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                width, height = picture.size
    except Image.DecompressionBombError:
        raise UnusableImage("too large") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error, EOFError, IndexError):
        return None
    if width * height > PIXELS:
        raise UnusableImage("too large")
    return width, height


def _made_anew(content: bytes) -> SanitizedImage:
    if measure(content) is None:
        raise UnusableImage("broken")
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        kind = TYPES[picture.format or ""]
        frames = 1 if kind == "image/jpeg" else getattr(picture, "n_frames", 1)
        if frames > FRAMES or (frames > 1 and frames * picture.width * picture.height > MOVING):
            raise UnusableImage("too large")
        if frames > 1:
            return _moving(picture, kind)
        still = _upright(picture)
        return SanitizedImage(_written(still, kind), kind, _small(still), *still.size, _blurhash(still))


def _upright(picture: Image.Image) -> Image.Image:
    """A copy that has only pixels: rotated as EXIF says, colours in sRGB, transparency as a channel."""
    turned = ImageOps.exif_transpose(picture)
    profile = turned.info.get("icc_profile")
    if "transparency" in turned.info or turned.mode in ("PA", "LA", "RGBa", "La"):
        turned = turned.convert("RGBA")
    elif turned.mode == "P":
        turned = turned.convert("RGB")
    if profile and turned.mode in ("RGB", "RGBA", "CMYK"):
        turned = _in_srgb(turned, profile)
    if turned.mode not in ("1", "L", "RGB", "RGBA", "I;16"):
        turned = turned.convert("RGB")
    return _bare(turned)


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Converts the colours to sRGB, for viewers that ignore profiles. A broken profile is ignored."""
    mode = "RGB" if picture.mode == "CMYK" else picture.mode
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return converted or picture


def _bare(picture: Image.Image) -> Image.Image:
    copy = picture.copy()
    copy.info = {}
    return copy


def _written(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "image/jpeg":
        flat = picture if picture.mode in ("L", "RGB") else picture.convert("RGB")
        flat.save(out, "JPEG", quality=90, optimize=True)
    elif kind == "image/webp":
        picture.convert("RGBA" if picture.mode == "RGBA" else "RGB").save(out, "WEBP", quality=90)
    else:
        picture.save(out, kind.removeprefix("image/").upper())
    return out.getvalue()


def _moving(picture: Image.Image, kind: str) -> SanitizedImage:
    """Re-encodes an animation: all frames with their durations, and nothing else."""
    times, frames = [], []
    for frame in ImageSequence.Iterator(picture):
        times.append(int(frame.info.get("duration", 100) or 100))
        frames.append(_bare(frame.convert("RGBA")))
    first, *others = frames
    how: dict[str, Any] = {"save_all": True, "append_images": others, "duration": times}
    how |= {"loop": int(picture.info.get("loop", 0))} if "loop" in picture.info or kind != "image/gif" else {}
    how |= {"disposal": 2} if kind == "image/gif" else {}
    out = io.BytesIO()
    first.save(out, kind.removeprefix("image/").upper(), **how)
    return SanitizedImage(out.getvalue(), kind, _small(first), *first.size, _blurhash(first))


def _small(picture: Image.Image) -> bytes | None:
    if max(picture.size) <= SMALL:
        return None
    copy = picture.convert("RGBA" if picture.mode == "RGBA" else "RGB")
    copy.thumbnail((SMALL, SMALL))
    out = io.BytesIO()
    if copy.mode == "RGBA":
        copy.save(out, "PNG")
    else:
        copy.save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()


def _blurhash(picture: Image.Image) -> str:
    """The algorithm of blurha.sh: the first terms of a cosine transform of a small copy, in base 83."""
    small = picture.copy()
    small.thumbnail((BLUR_SIDE, BLUR_SIDE))
    whole = small.convert("RGBA")
    copy = Image.new("RGB", whole.size, "white")
    copy.paste(whole, mask=whole.getchannel("A"))
    levels = [_linear(level) for level in copy.tobytes()]
    pixels = [levels[at : at + 3] for at in range(0, len(levels), 3)]
    first, *terms = [_term(pixels, copy.size, x, y) for y in range(BLUR[1]) for x in range(BLUR[0])]
    most = max(abs(value) for term in terms for value in term)
    scale = max(0, min(82, int(most * 166 - 0.5)))
    average = sum(_level(value) << shift for value, shift in zip(first, (16, 8, 0), strict=True))
    steps = [[_step(value / ((scale + 1) / 166)) for value in term] for term in terms]
    words = [_base83(BLUR[0] - 1 + (BLUR[1] - 1) * 9, 1), _base83(scale, 1), _base83(average, 4)]
    return "".join([*words, *(_base83((red * 19 + green) * 19 + blue, 2) for red, green, blue in steps)])


def _term(pixels: list[list[float]], size: tuple[int, int], x: int, y: int) -> list[float]:
    width, height = size
    across = [math.cos(math.pi * x * at / width) for at in range(width)]
    down = [math.cos(math.pi * y * at / height) for at in range(height)]
    weights = [one * other for other in down for one in across]
    scale = (1 if x == y == 0 else 2) / (width * height)
    return [scale * sum(w * pixel[of] for w, pixel in zip(weights, pixels, strict=True)) for of in range(3)]


def _linear(level: int) -> float:
    """From sRGB."""
    value = level / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _level(value: float) -> int:
    """To sRGB."""
    value = max(0.0, min(1.0, value))
    return int((value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055) * 255 + 0.5)


def _step(value: float) -> int:
    return max(0, min(18, int(math.copysign(abs(value) ** 0.5, value) * 9 + 9.5)))


def _base83(number: int, digits: int) -> str:
    return "".join(BASE83[number // 83 ** (digits - at - 1) % 83] for at in range(digits))


def _answer(head: dict[str, Any], *contents: bytes) -> None:
    written = json.dumps(head).encode()
    sys.stdout.buffer.write(b"".join((HEAD.pack(len(written)), written, *contents)))


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = PIXELS
    try:
        done = _made_anew(sys.stdin.buffer.read())
    except UnusableImage as unclean:
        _answer({"why": str(unclean)})
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        _answer({"why": "too large"})
    else:
        head = {"type": done.type, "size": len(done.content), "width": done.width, "height": done.height}
        _answer({**head, "blurhash": done.blurhash}, done.content, done.small or b"")


if __name__ == "__main__":
    _main()  # any other exception ends the process, and `sanitize` calls the picture broken
