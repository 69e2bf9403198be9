"""Sends what is due, by text and by mail. RQ calls `drain_sms` and `drain_email`.

A claim, the decision who may get it and the rendering commit together; it is sent outside of any transaction.
"""

from functools import lru_cache
from typing import Final, TypeVar

from gateway.carriers import Carrier, Letter, Text
from workers.desk import Desk, Rendering
from workers.mailing import Mailing
from workers.road import Known, Ledger, Road
from workers.room import Room, current
from workers.texting import Texting

TURN: Final = {"sms": 5.0, "email": 30.0}  # seconds; texts share their queue with receipts and reconciliation
TEXTS: Final = 1000  # in a claim, at most; the sender's rate decides
TEXTS_AT_ONCE: Final = 64
MAILS: Final = 500
MAILS_TOGETHER: Final = 125
MAILS_AT_ONCE: Final = 500

Parcel = TypeVar("Parcel", bound=Known)


def drain_sms() -> None:
    """Texts, at the rate of our numbers."""
    here = current()
    if here.texts is not None:
        _drain(here, "sms", _texts(here))


def drain_email() -> None:
    """Mails, as fast as the relay takes them."""
    here = current()
    if here.letters is not None:
        _drain(here, "email", _letters(here))


def _drain(here: Room, channel: str, road: Road[Parcel]) -> None:
    here.bell.answered(channel)
    if here.loop.run(road.drain(TURN[channel])):
        here.bell.ring(channel)


@lru_cache(maxsize=1)
def _texts(here: Room) -> Road[Text]:
    assert here.texts is not None
    rate = here.settings.sms_rate * max(1, len(here.settings.sms_numbers))
    render = Texting(here.settings, here.signer).load
    return _road(here, here.texts, render, rate=rate, limit=TEXTS, together=1, width=TEXTS_AT_ONCE)


@lru_cache(maxsize=1)
def _letters(here: Room) -> Road[Letter]:
    assert here.letters is not None
    render = Mailing(here.settings, here.signer).load
    return _road(here, here.letters, render, rate=None, limit=MAILS, together=MAILS_TOGETHER, width=MAILS_AT_ONCE)


def _road(
    here: Room,
    carrier: Carrier[Parcel],
    render: Rendering[Parcel],
    *,
    rate: float | None,
    limit: int,
    together: int,
    width: int,
) -> Road[Parcel]:
    desk = Desk(here, carrier.channel, render)
    ledger = Ledger(desk.claim, desk.settle, desk.release, desk.renew)
    lease = here.settings.lease_seconds
    return Road(carrier, ledger, here.stopping, rate=rate, limit=limit, together=together, width=width, lease=lease)
