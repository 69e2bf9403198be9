"""How an inbound ended. `process` and `unknown_senders` return it, and workers/inbound writes it into the row."""

from dataclasses import dataclass

from gateway.language.model.reading import Reading


@dataclass(frozen=True, slots=True)
class InboundOutcome:
    """The state it ended in, its reading and the reason, whose it was, and the answer if there was one."""

    state: str
    intent: str | None
    reason: str
    account_id: int | None = None
    answer: str | None = None
    queues: frozenset[str] = frozenset()
    reading: Reading | None = None
    counted: bool = False  # it is a bounce that was not seen before
