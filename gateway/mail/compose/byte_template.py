"""Bytes with holes that differ by recipient; compose.py bores them once, and fills them for every mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ByteTemplate:
    """Pieces of bytes, and which value stands at each odd place."""

    pieces: tuple[bytes, ...]
    places: tuple[tuple[int, int], ...]

    def fill(self, values: Sequence[bytes]) -> bytes:
        filled = list(self.pieces)
        for at, slot in self.places:
            filled[at] = values[slot]
        return b"".join(filled)


def compile_template(raw: bytes, slots: Sequence[str]) -> ByteTemplate:
    """`{{critter.NAME}}` for each slot's name becomes the place of its value."""
    hole = re.compile(rb"\{\{critter\.(" + "|".join(map(re.escape, slots)).encode() + rb")\}\}")
    pieces = hole.split(raw)
    return ByteTemplate(tuple(pieces), tuple((at, slots.index(pieces[at].decode())) for at in range(1, len(pieces), 2)))
