"""Byte templates with places that differ by recipient. compose.py compiles one once, and fills it for every mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ByteTemplate:
    """Pieces of bytes; `places` has the index of each piece to replace, and the index of its value."""

    pieces: tuple[bytes, ...]
    places: tuple[tuple[int, int], ...]

    def fill(self, values: Sequence[bytes]) -> bytes:
        filled = list(self.pieces)
        for at, slot in self.places:
            filled[at] = values[slot]
        return b"".join(filled)


def compile_template(raw: bytes, slots: Sequence[str]) -> ByteTemplate:
    """Compiles bytes in which `{{critter.NAME}}`, for each slot's name, is the place of that slot's value."""
    hole = re.compile(rb"\{\{critter\.(" + "|".join(map(re.escape, slots)).encode() + rb")\}\}")
    pieces = hole.split(raw)
    return ByteTemplate(tuple(pieces), tuple((at, slots.index(pieces[at].decode())) for at in range(1, len(pieces), 2)))
