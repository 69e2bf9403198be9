"""Browsers that get pushes, without a push service: keys as one gives them to a page, and the same for tests that read
what they were sent from a simulator (simulator/push_routes.py)."""

from sqlalchemy.orm import Session

from gateway.network.people import accounts
from gateway.network.push import push_subscriptions
from gateway.network.push.push_subscriptions import Encoding, PushKeys
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
