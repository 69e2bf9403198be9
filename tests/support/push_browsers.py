"""Browsers that get pushes, without a push service: keys as one gives them to a page, and the same for tests that read
what they were sent from a simulator (simulator/push_routes.py)."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from gateway.carriers.common.protocol import OutboundPush, Outcome, PushNote
from gateway.carriers.webpush import sender
from gateway.carriers.webpush.codes import PushOutcome
from gateway.network.people import accounts
from gateway.network.push import push_subscriptions
from gateway.network.push.push_subscriptions import Encoding, PushDevice, PushKeys
from gateway.security import push_keys
from gateway.settings import Settings, load
from gateway.store.database import transaction
from gateway.store.tables import Account
from simulator.push_devices import PushDevices
from tests.support.office import Office


def keys_of(endpoint: str = "http://127.0.0.1:9/push/a", encoding: Encoding = "standard") -> PushKeys:
    made = PushDevices().make().keys
    return PushKeys(endpoint, made["p256dh"], made["auth"], encoding)


def subscribe(office: Office, handle: str, endpoint: str = "http://127.0.0.1:9/push/a") -> int:
    """A device of an app, which needs no session; returns its id."""
    with transaction(office.engine) as session:
        return push_subscriptions.add(session, person(session, handle).id, keys_of(endpoint), "Firefox, Linux").id


def person(session: Session, handle: str, *, active: bool = True) -> Account:
    found = accounts.by_handle(session, handle, active=active)
    assert found
    return found


NOTE = PushNote("Kim Lee", "the gate is open", "/updates/7", "update-7", "en", 3)


def send(settings: Settings, *devices: PushDevice, timeout: float = 5, **changes: Any) -> PushOutcome:
    push = replace(OutboundPush(1, devices, NOTE, 3600, "high", "99"), **changes)
    ended: list[Outcome] = []

    async def story() -> None:
        carrier = sender.WebPush(settings, timeout)
        await carrier.send([push], lambda _, outcome: ended.append(outcome))
        await carrier.close()

    asyncio.run(story())
    [outcome] = ended
    assert isinstance(outcome, PushOutcome)
    return outcome


LIVE = {
    "CRITTER_MODE": "live", "CRITTER_COMPANY": "Acme", "CRITTER_PUBLIC_URL": "https://critter.example.com",
    "CRITTER_SECRET_KEY": "zyxwvuts01234567" * 2, "CRITTER_SMS": "off", "CRITTER_MAIL": "off",
    "CRITTER_REDIS_URL": "unix:///run/redis.sock",
}  # fmt: skip


def live(var: Path, **more: str) -> Settings:
    return load({**LIVE, "CRITTER_VAR": str(var), "CRITTER_PUSH_KEY": push_keys.make_private(), **more})
