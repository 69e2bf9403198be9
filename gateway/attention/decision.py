"""What can be decided about a message on its way to one address: it is sent now, held for later, or dropped."""

from dataclasses import dataclass
from typing import Final

from gateway.ledger.outbox.held import Hold


@dataclass(frozen=True, slots=True)
class Send:
    """It may leave now."""


@dataclass(frozen=True, slots=True)
class Drop:
    """It must never leave."""

    reason: str  # stands in deliveries.reason


Decision = Send | Drop | Hold  # held for later; then it is decided about again
SEND: Final = Send()
