"""Converts a reading to JSON and back: a question stores it, and its answer carries it out."""

from dataclasses import asdict, replace
from typing import Any

from gateway.language.model.reading import NamedAccount, Reading


def pack(reading: Reading) -> dict[str, Any]:
    """Everything that a handler acts on. The reason is left out: it was already said with the question."""
    return asdict(replace(reading, reason=""))


def unpack(fields: dict[str, Any]) -> Reading:
    names = {key: tuple(NamedAccount(**each) for each in fields[key]) for key in ("names", "near")}
    return Reading(**{**fields, "args": tuple(fields["args"]), **names})
