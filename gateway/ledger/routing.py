"""Which of our numbers a phone hears from: pure, so that whoever claims texts can ask for a batch without the database.

A phone is routed to a carrier by the longest prefix of its number, and keeps one number of that carrier. When the
carrier is down the phone hears from another that may serve it, and afterwards from its own number again. Only texts
that surely did not leave may be chosen for anew: an unknown one belongs to the carrier that may have it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32


class Sender(NamedTuple):
    """One of our numbers: its id in the table of senders, and whose it is."""

    id: int
    number: str
    carrier: str


class Route(NamedTuple):
    """Which carrier serves the phones that begin so; "" is every phone."""

    prefix: str
    carrier: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What `choose` needs of the settings. `routes` empty: every carrier serves every phone."""

    senders: tuple[Sender, ...]
    routes: tuple[Route, ...] = ()


def choose(phone: str, plan: Plan, down: Collection[int] = (), kept: int | None = None) -> Sender | None:
    """The number that this phone hears from now; None when none that may serve it is up.

    down: ids of senders that are paused or whose carrier is. kept: the id of the one it heard from before, which it
    keeps while that is up and on its best route. The same phone always gets the same one of the same choice.
    """
    for choice in serving(phone, plan):
        up = [sender for sender in choice if sender.id not in down]
        if up:
            return next((sender for sender in up if sender.id == kept), None) or _sticky(phone, up)
    return None


def serving(phone: str, plan: Plan) -> Sequence[Sequence[Sender]]:
    """The numbers that may serve this phone, best first: those with the carrier of its longest prefix, then those of
    each shorter one. A short prefix says who may step in; without routes all are alike."""
    return _serving(tuple(route.carrier for route in matching(phone, plan.routes)) if plan.routes else None, plan)


def matching(phone: str, routes: Sequence[Route]) -> list[Route]:
    """The routes of a phone, the longest prefix first."""
    return sorted((r for r in routes if phone.startswith(r.prefix)), key=lambda r: len(r.prefix), reverse=True)


@lru_cache(maxsize=1024)
def _serving(carriers: tuple[str, ...] | None, plan: Plan) -> tuple[tuple[Sender, ...], ...]:
    if carriers is None:
        return (plan.senders,)
    each = dict.fromkeys(carriers)  # a carrier that a shorter prefix names again
    return tuple(tuple(s for s in plan.senders if s.carrier == carrier) for carrier in each)


def _sticky(phone: str, choice: Sequence[Sender]) -> Sender:
    """Rendezvous hashing: when a number comes or goes, only the phones that it gets or loses change theirs."""
    return max(choice, key=lambda sender: (crc32(f"{phone} {sender.number}".encode()), sender.number))
