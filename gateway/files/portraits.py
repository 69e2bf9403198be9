"""Pictures that stand for people and groups: drawn from a number alone, so that whoever sees one learns nothing."""

import io
from functools import lru_cache
from hashlib import sha256
from typing import Final

from PIL import Image, ImageDraw

# The tints of the pages' circles (critter.css), and a darker tone of each for what is drawn on it.
TINTS: Final = ("#cfe0d4", "#f0d9b8", "#cddcec", "#e8cfd3", "#dcd3ec", "#dfe0b9")
TONES: Final = ("#2b4a3d", "#54401f", "#2c445c", "#54353b", "#423759", "#45471f")
CELLS: Final = 5  # of a pattern, in each direction
CELL: Final = 40
EDGE: Final = 20
SIDE: Final = CELLS * CELL + 2 * EDGE
HEADER: Final = (600, 200)
KEPT: Final = 512  # pictures in memory; each is less than a kilobyte


@lru_cache(KEPT)
def draw_person(number: int) -> bytes:
    """A pattern with two like halves, as a PNG."""
    bits = int.from_bytes(sha256(f"portrait {number}".encode()).digest())
    half = [bool(bits >> place & 1) for place in range(CELLS * (CELLS // 2 + 1))]
    filled = {
        (column, row)
        for row in range(CELLS)
        for column in range(CELLS)
        if half[row * (CELLS // 2 + 1) + min(column, CELLS - 1 - column)]
    }
    return _draw(number, filled)


@lru_cache(KEPT)
def draw_group(number: int) -> bytes:
    """The sign # that stands before a group's name, as a PNG."""
    return _draw(number, {(x, y) for x in range(CELLS) for y in range(CELLS) if x in (1, 3) or y in (1, 3)})


@lru_cache(len(TINTS))
def draw_header(place: int) -> bytes:
    """A plain area in the tint of this place, as a PNG."""
    return _png(Image.new("RGB", HEADER, TINTS[place]))


def tint(number: int) -> int:
    """Which of the tints is somebody's: the one that pages show."""
    return number // 65_536 % len(TINTS)


def _draw(number: int, filled: set[tuple[int, int]]) -> bytes:
    picture = Image.new("RGB", (SIDE, SIDE), TINTS[tint(number)])
    pen = ImageDraw.Draw(picture)
    for column, row in filled:
        left, top = EDGE + column * CELL, EDGE + row * CELL
        pen.rectangle((left, top, left + CELL - 1, top + CELL - 1), fill=TONES[tint(number)])
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    made = io.BytesIO()
    picture.quantize(8).save(made, "PNG", optimize=True)
    return made.getvalue()
