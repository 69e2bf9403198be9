"""Routing: which of our numbers texts a phone. Pure, so that numbers can be assigned to a batch of phones.

A phone is routed to a carrier by the longest prefix of its number, and keeps one number of that carrier. While that
carrier is down, those of its shorter prefixes may take over; afterwards the phone gets its own number again. Only texts
that surely did not leave may go another way: one in doubt belongs to the carrier that may have it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from gateway.ledger.senders.senders import SendingNumber
from gateway.settings.sms_numbers import SmsRoute as Route


@dataclass(frozen=True, slots=True)
class RoutingPlan:
    """Our numbers, and which carrier serves which phones. Without routes each carrier serves all phones."""

    senders: tuple[SendingNumber, ...]
    routes: tuple[Route, ...] = ()


def choose(phone: str, plan: RoutingPlan, down: Collection[int] = (), kept: int | None = None) -> SendingNumber | None:
    """The number that texts this phone now; None when no number that may serve it is up.

    down: ids of numbers that may not be used now. When none is down, the result is the phone's own number, to be
    stored. kept: the id of the number that texted it before, which it keeps while that number is up and belongs to the
    best carrier that is up.
    """
    for choice in serving(phone, plan):
        up = [sender for sender in choice if sender.id not in down]
        if up:
            return next((sender for sender in up if sender.id == kept), None) or _sticky(phone, up)
    return None


def serving(phone: str, plan: RoutingPlan) -> Sequence[Sequence[SendingNumber]]:
    """The numbers that may serve this phone, best first: those with the carrier of its longest prefix, then those of
    each shorter one."""
    return _choices(_carriers(phone, plan.routes), plan)


def can_stand_in(sender: SendingNumber, lost: SendingNumber, plan: RoutingPlan) -> bool:
    """Whether `sender` may text every phone whose own number is `lost` meanwhile. Claiming needs this answer, for it
    takes all texts of a lost number, or none."""
    if not plan.routes or sender.carrier == lost.carrier:
        return True
    leading = [route for route in plan.routes if route.carrier == lost.carrier]
    return bool(leading) and all(sender.carrier in (_carriers(route.prefix, plan.routes) or ()) for route in leading)


def _carriers(phone: str, routes: Sequence[Route]) -> tuple[str, ...] | None:
    """The carriers of a phone's prefixes, the longest first, each once; None when there are no routes at all."""
    if not routes:
        return None
    matching = sorted((r for r in routes if phone.startswith(r.prefix)), key=lambda r: len(r.prefix), reverse=True)
    return tuple(dict.fromkeys(route.carrier for route in matching))


@lru_cache(maxsize=1024)
def _choices(carriers: tuple[str, ...] | None, plan: RoutingPlan) -> tuple[tuple[SendingNumber, ...], ...]:
    if carriers is None:
        return (plan.senders,)
    return tuple(tuple(s for s in plan.senders if s.carrier == carrier) for carrier in carriers)


def _sticky(phone: str, choice: Sequence[SendingNumber]) -> SendingNumber:
    """Rendezvous hashing: when a number is added or removed, only the phones that it gets or loses change theirs."""
    return max(choice, key=lambda sender: (crc32(f"{phone} {sender.number}".encode()), sender.number))
