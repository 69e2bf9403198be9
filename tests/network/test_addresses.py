"""Phones and mailboxes: whose they are, which is the primary one, and opt-out as law."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.network.people import accounts, addresses
from gateway.store.database import transaction
from gateway.store.tables import Address, Consent

PHONE = "+14155550101"


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


@pytest.fixture
def kim(session: Session) -> int:
    return accounts.create_person(session, "kim", "Kim Lee").id


@pytest.fixture
def bob(session: Session) -> int:
    return accounts.create_person(session, "bob", "Bob Reyes").id


def test_a_phone_as_people_write_it() -> None:
    for written in ("+1 415 555 0101", "(415) 555-0101", "415.555.0101", "1-415-555-0101", " +14155550101 "):
        assert addresses.normal_phone(written, "US") == PHONE
    assert addresses.normal_phone("030 1234567", "DE") == "+49301234567"
    for wrong in ("", "555-0101", "4.15556E+11", "call me", "+1 415 555 0101 x5", "12345", "+0", "+1415555010101010"):
        with pytest.raises(Refused, match="phone number"):
            addresses.normal_phone(wrong, "US")


def test_a_mailbox_in_lower_case() -> None:
    assert addresses.normal_mailbox(" Kim.Lee@Demo.EXAMPLE ") == "kim.lee@demo.example"
    assert addresses.normal_mailbox("kim@bücher.example") == "kim@xn--bcher-kva.example"
    for wrong in (
        "",
        "kim",
        "kim@",
        "@demo.example",
        "kim@demo",
        "k im@demo.example",
        "kim@demo..example",
        "a@b@c.d",
        "kim@-x.example",
        "Kim <kim@x.example>",
        "x" * 65 + "@demo.example",
        "kim\n@demo.example",
    ):
        with pytest.raises(Refused, match="mail address"):
            addresses.normal_mailbox(wrong)


def test_the_first_of_a_channel_is_primary_until_another_is_named(session: Session, kim: int) -> None:
    first = addresses.add(session, kim, "sms", PHONE)
    second = addresses.add(session, kim, "sms", "+14155550102")
    mailbox = addresses.add(session, kim, "email", "kim@demo.example")
    assert (first.is_primary, second.is_primary, mailbox.is_primary) == (True, False, True)
    addresses.add(session, kim, "sms", "+14155550102", primary=True)
    session.expire_all()
    assert (first.is_primary, second.is_primary) == (False, True)
    assert addresses.primary(session, kim, "sms") == second
    assert addresses.of_account(session, kim) == [second, first, mailbox]


def test_an_address_has_one_owner(session: Session, kim: int, bob: int) -> None:
    addresses.add(session, kim, "sms", PHONE)
    with pytest.raises(Refused, match="phone belongs to somebody else"):
        addresses.add(session, bob, "sms", PHONE)


def test_identify(session: Session, kim: int) -> None:
    assert addresses.identify(session, "sms", PHONE) is None
    row = addresses.add(session, kim, "sms", PHONE)
    found = addresses.identify(session, "sms", PHONE)
    assert found is not None
    assert (found[0], found[1].handle) == (row, "kim")
    assert addresses.identify(session, "email", PHONE) is None
    addresses.stop(session, row, "STOP")
    assert addresses.identify(session, "sms", PHONE) is not None
    row.state = "suspended"
    assert addresses.identify(session, "sms", PHONE) is None


def test_an_invited_phone_that_writes_first_is_verified(session: Session, kim: int) -> None:
    row = addresses.add(session, kim, "sms", PHONE, state="invited")
    assert addresses.seen(session, row.id).answered
    session.expire_all()
    assert row.state == "verified"
    assert row.seen_at
    assert [(one.kind, one.source) for one in session.scalars(select(Consent))] == [("opt_in", "text")]
    assert not addresses.seen(session, row.id).answered


def test_opt_out_and_in_keep_the_words(session: Session, kim: int) -> None:
    row = addresses.add(session, kim, "sms", PHONE)
    other = addresses.add(session, kim, "sms", "+14155550102")
    assert addresses.stop(session, row, "Stop!", "+15005550006", "SM1")
    assert not addresses.stop(session, row, "STOP", "+15005550006", "SM2")
    session.expire_all()
    assert (row.state, other.state) == ("stopped", "verified")
    assert row.stopped_at
    assert addresses.start(session, row, "start", "+15005550006", "SM3")
    assert not addresses.start(session, row, "start")
    session.expire_all()
    assert (row.state, row.stopped_at) == ("verified", None)
    kept = session.scalars(select(Consent).order_by(Consent.id)).all()
    assert [(one.kind, one.wording, one.carrier_id) for one in kept] == [
        ("opt_out", "Stop!", "SM1"),
        ("opt_out", "STOP", "SM2"),
        ("opt_in", "start", "SM3"),
        ("opt_in", "start", None),
    ]


def test_start_does_not_lift_a_suspension(session: Session, kim: int) -> None:
    row = addresses.add(session, kim, "sms", PHONE)
    row.state = "suspended"
    addresses.stop(session, row, "STOP")
    assert row.state == "suspended"
    addresses.start(session, row, "START")
    assert row.state == "suspended"


def test_a_strangers_opt_out_outlives_their_joining(session: Session, kim: int) -> None:
    stranger = addresses.ensure(session, "sms", PHONE)
    addresses.stop(session, stranger, "STOP")
    assert addresses.ensure(session, "sms", PHONE).id == stranger.id
    row = addresses.add(session, kim, "sms", PHONE)
    assert (row.id, row.state, row.account_id) == (stranger.id, "stopped", kim)


def test_a_recycled_number_leaves_its_past_with_the_one_who_had_it(session: Session, kim: int, bob: int) -> None:
    old = addresses.add(session, kim, "sms", PHONE)
    addresses.stop(session, old, "STOP")
    accounts.deactivate(session, kim)
    session.expire_all()
    new = addresses.add(session, bob, "sms", PHONE)
    assert new.id != old.id
    assert (new.account_id, new.state, new.is_primary) == (bob, "stopped", True)
    session.expire_all()
    assert session.get_one(Address, old.id).address.startswith(PHONE + " until ")
    found = addresses.identify(session, "sms", PHONE)
    assert found is not None
    assert found[1].handle == "bob"


def test_off_and_on(session: Session, kim: int) -> None:
    row = addresses.add(session, kim, "sms", PHONE)
    until = datetime(2031, 1, 1, tzinfo=UTC)
    addresses.set_receiving(session, row.id, False, until)
    session.expire_all()
    assert (row.receiving, row.off_until) == (False, until)
    addresses.set_receiving(session, row.id, True)
    assert (row.receiving, row.off_until) == (True, None)
