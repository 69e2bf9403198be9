"""A reading as JSON and back: what a question keeps until it is answered, and does then."""

from dataclasses import asdict, replace
from typing import Any

from gateway.language.model.reading import NamedAccount, Reading


def pack(reading: Reading) -> dict[str, Any]:
    """Everything that a handler acts on; the reason was for the one who asked then."""
    return asdict(replace(reading, reason=""))


def unpack(fields: dict[str, Any]) -> Reading:
    names = {key: tuple(NamedAccount(**each) for each in fields[key]) for key in ("names", "near")}
    return Reading(**{**fields, "args": tuple(fields["args"]), **names})
