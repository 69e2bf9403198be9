"""What can be decided about a message on its way to one address: it is sent now, held for later, sent to another
address of its reader, or dropped."""

from dataclasses import dataclass
from typing import Final

from gateway.ledger.outbox.held import Hold


@dataclass(frozen=True, slots=True)
class Send:
    """It may leave now. `later`: it goes to its reader's phone as well, unless they have seen it till then."""

    later: Hold | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """It must never leave."""

    reason: str  # stands in deliveries.reason


@dataclass(frozen=True, slots=True)
class Redirect:
    """It goes to another address of its reader instead, where it is decided about again."""

    address_id: int
    channel: str


Decision = Send | Drop | Hold | Redirect  # Hold: for later; then it is decided about again
SEND: Final = Send()
