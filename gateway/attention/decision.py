"""What can be decided about a message on its way to one address: it is sent now, held for later, or dropped."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Send:
    """It may leave now."""


@dataclass(frozen=True, slots=True)
class Drop:
    """It must never leave."""

    reason: str  # stands in deliveries.reason


@dataclass(frozen=True, slots=True)
class Hold:
    """It may leave later; then it is decided about again."""

    reason: str
    until: datetime


Decision = Send | Drop | Hold
SEND: Final = Send()
