"""The devices to which pushes go: browsers in which somebody is signed in, and apps. All of a person's devices are one
address of the channel `push`, so that an item has one delivery, one receipt and one decision, however many there are.

That address is verified while it has a device and suspended without one; every function here that adds or removes
devices sees to it. An endpoint is a secret: it stands in the table, and in what is sent there, and nowhere else.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import ColumnElement, delete, exists, select, text
from sqlalchemy.orm import Session

from gateway.channels import PUSH, SMS
from gateway.store.arrays import numbers
from gateway.store.tables import Address, PushSubscription
from gateway.store.views import PushSubscriptionInForce

Encoding = Literal["standard", "legacy"]
MOST: Final = 10  # devices of one person; a new one takes the place of the one that was used least recently


@dataclass(frozen=True, slots=True)
class PushKeys:
    """What a browser or an app gives us of its subscription. `encoding`: `standard` is aes128gcm (RFC 8291), `legacy`
    the aesgcm of its drafts."""

    endpoint: str
    p256dh: str
    auth: str
    encoding: Encoding = "standard"


@dataclass(frozen=True, slots=True)
class PushDevice:
    """One device to send to."""

    id: int
    keys: PushKeys


def add(
    session: Session, account_id: int, keys: PushKeys, device: str = "", session_id: int | None = None
) -> PushSubscription:  # fmt: skip
    """Subscribes a device, or renews what it had. `session_id`: of a browser, whose pushes end with its session. One
    that somebody else had is theirs no more: another person has signed in there."""
    given = {
        "account": account_id, "session": session_id, "endpoint": keys.endpoint, "p256dh": keys.p256dh,
        "auth": keys.auth, "encoding": keys.encoding, "device": device,
    }  # fmt: skip
    before = session.scalar(select(PushSubscription.account_id).where(PushSubscription.endpoint == keys.endpoint))
    row_id = session.execute(PUT, given).scalar_one()
    session.execute(SPARE, {"account": account_id, "most": MOST, "new": row_id})
    _settle(session, {account_id, before or account_id})
    return session.get_one(PushSubscription, row_id, populate_existing=True)


def address_of(session: Session, account_id: int) -> Address | None:
    """The address that stands for all devices of somebody; None while there is no device."""
    mine = Address.account_id == account_id, Address.channel == PUSH, Address.state == "verified"
    return session.scalars(select(Address).where(*mine).execution_options(populate_existing=True)).one_or_none()


def list_of(session: Session, account_id: int) -> Sequence[PushSubscription]:
    """The devices of somebody, the newest first."""
    mine = select(PushSubscriptionInForce).where(PushSubscriptionInForce.account_id == account_id)
    return session.scalars(mine.order_by(PushSubscriptionInForce.id.desc())).all()


def has_device(session: Session, account_id: int) -> bool:
    mine = PushSubscriptionInForce.account_id == account_id
    return bool(session.scalar(select(exists().where(mine))))


def find(session: Session, address_ids: Collection[int]) -> Mapping[int, tuple[PushDevice, ...]]:
    """The devices of these addresses; those without any are left out."""
    found: dict[int, list[PushDevice]] = defaultdict(list)
    for row in session.execute(DEVICES, {"addresses": numbers(address_ids)}):
        keys = PushKeys(row.endpoint, row.p256dh, row.auth, row.encoding)
        found[row.address_id].append(PushDevice(row.id, keys))
    return {address: tuple(devices) for address, devices in found.items()}


def remove(session: Session, account_id: int, subscription_id: int) -> bool:
    """Ends the pushes to one device of this person; False when it is none of theirs."""
    mine = delete(PushSubscription).where(PushSubscription.account_id == account_id)
    gone = session.execute(mine.where(PushSubscription.id == subscription_id).returning(PushSubscription.id)).all()
    _settle(session, [account_id])
    return bool(gone)


def forget(session: Session, account_id: int, endpoint: str) -> None:
    """Removes the subscription of a device of theirs that has another one now."""
    _remove(session, PushSubscription.account_id == account_id, PushSubscription.endpoint == endpoint)


def remove_of_sessions(session: Session, session_ids: Collection[int]) -> None:
    """Ends the pushes to browsers in which somebody is signed in no more."""
    _remove(session, PushSubscription.session_id.in_(session_ids))


def remove_of_people(session: Session, account_ids: Collection[int]) -> None:
    _remove(session, PushSubscription.account_id.in_(account_ids))


def note_answers(session: Session, used: Collection[int], gone: Collection[int]) -> None:
    """Notes which devices' push services took something, and forgets those that they do not know any more."""
    if used:
        session.execute(USE, {"used": numbers(used)})
    if gone:
        _remove(session, PushSubscription.id.in_(gone))


def close(session: Session, address_ids: Collection[int]) -> None:
    """Closes those of these addresses that have no device any more."""
    if address_ids:
        _settle(session, session.scalars(select(Address.account_id).where(Address.id.in_(address_ids))))


def _remove(session: Session, *which: ColumnElement[bool]) -> None:
    ended = delete(PushSubscription).where(*which)
    _settle(session, set(session.scalars(ended.returning(PushSubscription.account_id))))


def _settle(session: Session, account_ids: Iterable[int | None]) -> None:
    """Makes the address of these people what their devices say. It rests when their phone does, for both ring in the
    same pocket: a trigger sees to that later, and to it being so from the start is seen here."""
    if people := {each for each in account_ids if each is not None}:
        session.execute(SETTLE, {"accounts": numbers(people)})


PUT: Final = text("""
    INSERT INTO push_subscriptions (account_id, session_id, endpoint, p256dh, auth, encoding, device)
    VALUES (:account, :session, :endpoint, :p256dh, :auth, :encoding, :device)
    ON CONFLICT (endpoint) DO UPDATE
    SET account_id = excluded.account_id, session_id = excluded.session_id, p256dh = excluded.p256dh,
        auth = excluded.auth, encoding = excluded.encoding, device = excluded.device
    RETURNING id
""")
SPARE: Final = text("""
    DELETE FROM push_subscriptions WHERE id IN (
        SELECT id FROM push_subscriptions WHERE account_id = :account AND id <> :new
        ORDER BY coalesce(used_at, created_at) DESC, id DESC OFFSET :most - 1)
""")
DEVICES: Final = text(f"""
    SELECT a.id AS address_id, p.id, p.endpoint, p.p256dh, p.auth, p.encoding
    FROM addresses a JOIN push_subscriptions_in_force p ON p.account_id = a.account_id
    WHERE a.id = ANY (CAST(:addresses AS bigint[])) AND a.channel = '{PUSH}' ORDER BY p.id
""")  # noqa: S608
USE: Final = text("UPDATE push_subscriptions SET used_at = now() WHERE id = ANY (CAST(:used AS bigint[]))")
SETTLE: Final = text(f"""
    INSERT INTO addresses (account_id, channel, address, state, is_primary, quiet, quiet_since, receiving, off_until)
    SELECT p.id, '{PUSH}', CAST(p.id AS text),
           CASE WHEN EXISTS (SELECT FROM push_subscriptions_in_force s WHERE s.account_id = p.id)
                THEN 'verified' ELSE 'suspended' END,
           true, phone.quiet, phone.quiet_since, coalesce(phone.receiving, true), phone.off_until
    FROM accounts p LEFT JOIN addresses phone
      ON phone.account_id = p.id AND phone.channel = '{SMS}' AND phone.is_primary
    WHERE p.id = ANY (CAST(:accounts AS bigint[])) AND (
        EXISTS (SELECT FROM push_subscriptions s WHERE s.account_id = p.id)
        OR EXISTS (SELECT FROM addresses a WHERE a.account_id = p.id AND a.channel = '{PUSH}'))
    ON CONFLICT (channel, address) DO UPDATE SET state = excluded.state
""")  # noqa: S608 - put together from constants
