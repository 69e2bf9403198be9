"""The last look before a parcel leaves: is the decision that it may leave still fresh? workers/sending/send_decisions
answers.

However a carrier queues, opens connections or waits for its turn, it asks here just before the first byte of each
request is written. So an opt-out or an `undo` counts up to a second before that, and not up to when it was handed over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol, TypeVar


class HasAttempt(Protocol):
    """What every parcel has: the attempt that it is."""

    @property
    def attempt(self) -> int: ...


Parcel = TypeVar("Parcel", bound=HasAttempt)


class Gate(Protocol):
    """Decides about parcels that a carrier has in hand."""

    def fresh(self, parcel: HasAttempt) -> bool:
        """Whether it may begin now, without asking anybody."""
        ...

    async def ask(self, parcels: Sequence[HasAttempt]) -> frozenset[int]:
        """Decides again: the attempts that may leave. The others have ended or were given back; the carrier neither
        sends them nor says anything more about them."""
        ...


class AlwaysOpen:
    """For who sends what nobody can take back, such as a test mail of `critter check`."""

    def fresh(self, parcel: HasAttempt) -> bool:
        return True

    async def ask(self, parcels: Sequence[HasAttempt]) -> frozenset[int]:
        return frozenset(one.attempt for one in parcels)


OPEN: Final = AlwaysOpen()


async def may_leave(gate: Gate, parcel: HasAttempt) -> bool:
    """Asked again until the answer is fresh when it comes."""
    while not gate.fresh(parcel):
        if parcel.attempt not in await gate.ask([parcel]):
            return False
    return True


async def refresh(gate: Gate, queue: deque[Parcel]) -> None:
    """Asks about all in the queue that waited too long, at once, and takes out what may not leave. They were decided
    together, so that the first one tells whether any did."""
    if not queue or gate.fresh(queue[0]):
        return
    stale = [one for one in queue if not gate.fresh(one)]
    gone = {one.attempt for one in stale} - await gate.ask(stale)
    left = [one for one in queue if one.attempt not in gone]
    queue.clear()
    queue.extend(left)
