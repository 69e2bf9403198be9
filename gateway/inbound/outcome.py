"""How an inbound ended. `listening` and `strangers` say so, and workers/inbound writes it down."""

from dataclasses import dataclass

from gateway.language.model.reading import Reading


@dataclass(frozen=True, slots=True)
class InboundOutcome:
    """Its state, what it was read as and why, whose it was, and the answer if there was one."""

    state: str
    intent: str | None
    reason: str
    account_id: int | None = None
    answer: str | None = None
    rings: frozenset[str] = frozenset()
    reading: Reading | None = None
    counted: bool = False  # a mail came back that had not come back before
