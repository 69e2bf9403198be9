"""The carrier protocol: the parcels that a carrier takes and the outcome that it gives for each.
workers/sending/send_loop sends with it.

Only carriers touch the outside world. A new carrier is one more folder beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol, TypeVar, runtime_checkable

from gateway.carriers.common.send_gate import OPEN, Gate
from gateway.network.push.push_subscriptions import PushDevice

State = Literal["sent", "unknown", "retry", "failed"]


@dataclass(frozen=True, slots=True)
class Text:
    """One SMS to one phone."""

    attempt: int
    sender: str  # E.164, or a Messaging Service SID ("MG…")
    recipient: str  # E.164
    body: str
    callback: str  # absolute URL for the status callbacks of this attempt
    validity: int  # seconds the carrier may keep it queued, 1–36,000

    @property
    def token(self) -> str:
        """The signed attempt, which is the last part of `callback`; for carriers whose callbacks have a door of their
        own."""
        return self.callback.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class OutboundEmail:
    """One mail to one mailbox."""

    attempt: int
    envelope_from: str  # empty: the null sender
    recipient: str
    content: bytes  # the whole message, lines ended by CRLF


@dataclass(frozen=True, slots=True)
class PushNote:
    """What a device shows. It may be seen on a locked screen, so it has no private words. `path`: of the page that it
    opens; `tag`: a note of the same tag takes the place of the first; `unread`: how much is new for its reader."""

    title: str
    body: str
    path: str
    tag: str
    lang: str
    unread: int | None = None


@dataclass(frozen=True, slots=True)
class OutboundPush:
    """One note to all devices of one person. `ttl`: how many seconds a push service may keep it; `topic`: of what it
    keeps, the same item has one place."""

    attempt: int
    devices: tuple[PushDevice, ...]
    note: PushNote
    ttl: int
    urgency: Literal["very-low", "low", "normal", "high"]
    topic: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt.

    sent: the carrier is responsible for it now. unknown: the carrier may or may not have it. retry: the carrier surely
    does not have it, and a later attempt may work. failed: no attempt will work.
    """

    state: State
    carrier_id: str | None = None
    reason: str = ""  # "", or a code: "21610", "421", "timeout", "refused"
    detail: str = ""  # a few words for a log, never with numbers, addresses or bodies
    pause: bool = False  # our own account or number is at fault: stop using it until a person has looked
    one_number: bool = False  # with pause: only the number that it was to leave from is at fault
    wait: float | None = None  # seconds after which the carrier asked us to come again


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """One message as the carrier's own list shows it."""

    carrier_id: str
    recipient: str
    body: str
    status: str
    sent_at: datetime | None
    direction: str
    sender: str


@dataclass(frozen=True, slots=True)
class PricePage:
    """One page of a day's texts: dollars by the carrier's id, for texts whose price is final. `skipped`: how many
    prices are not in dollars or make no sense. `next_page`: where the list continues, None at its end."""

    prices: Mapping[str, Decimal]
    skipped: int
    next_page: str | None


@runtime_checkable
class Billing(Protocol):
    """A carrier that tells afterwards what each text cost."""

    async def prices(self, day: date, page: str | None) -> PricePage:
        """Returns one page of the prices; raises CarrierError when it cannot be fetched."""
        ...


Parcel = TypeVar("Parcel")


class Carrier(Protocol[Parcel]):
    """A way out for parcels. `send` calls `settled` once for each parcel, as it ends, and never raises for the fault of
    a parcel. It asks the gate about each just before the first byte is written, and never calls `settled` for what the
    gate keeps back."""

    channel: str

    async def send(
        self, batch: Sequence[Parcel], settled: Callable[[Parcel, Outcome], None], gate: Gate = OPEN
    ) -> None: ...

    async def close(self) -> None: ...


@runtime_checkable
class MessageList(Protocol):
    """A carrier for texts that can also list what it took: texts in doubt are looked for there. With a carrier that
    cannot, they are settled by their status callbacks or by policy."""

    async def listing(self, recipient: str | None, sender: str | None, since: datetime) -> list[ListedMessage]: ...
