"""The send gate, the last check before a parcel leaves: is the decision that it may leave still fresh?
workers/sending/send_decisions answers.

However long a carrier queues, opens connections or waits, it asks here just before the first byte of each request is
written. So an opt-out or an `undo` counts until a second before that, and not only until the parcel was handed over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol, TypeVar


class HasAttempt(Protocol):
    """What every parcel has: the number of its attempt."""

    @property
    def attempt(self) -> int: ...


Parcel = TypeVar("Parcel", bound=HasAttempt)


class Gate(Protocol):
    """Decides about parcels that a carrier has in hand."""

    def fresh(self, parcel: HasAttempt) -> bool:
        """Tells whether the parcel may begin now without a new decision."""
        ...

    async def ask(self, parcels: Sequence[HasAttempt]) -> frozenset[int]:
        """Decides again; returns the attempts that may leave. The others have ended or were given back; the carrier
        neither sends them nor gives an outcome for them."""
        ...


class AlwaysOpen:
    """The gate for parcels that nobody can take back, such as a test mail of `critter check`."""

    def fresh(self, parcel: HasAttempt) -> bool:
        return True

    async def ask(self, parcels: Sequence[HasAttempt]) -> frozenset[int]:
        return frozenset(one.attempt for one in parcels)


OPEN: Final = AlwaysOpen()


async def may_leave(gate: Gate, parcel: HasAttempt) -> bool:
    """Tells whether a parcel may leave; asks again until the answer is still fresh when it arrives."""
    while not gate.fresh(parcel):
        if parcel.attempt not in await gate.ask([parcel]):
            return False
    return True


async def refresh(gate: Gate, queue: deque[Parcel]) -> None:
    """Asks with one question about all parcels in the queue that waited too long, and removes those that may not leave.
    They were decided together, so the first one shows whether any waited too long."""
    if not queue or gate.fresh(queue[0]):
        return
    stale = [one for one in queue if not gate.fresh(one)]
    gone = {one.attempt for one in stale} - await gate.ask(stale)
    left = [one for one in queue if one.attempt not in gone]
    queue.clear()
    queue.extend(left)
