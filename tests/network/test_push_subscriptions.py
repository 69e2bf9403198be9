"""The life of a device that gets pushes: added, moved, forgotten, and ended with the session or the account."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.network.people import accounts, addresses, quiet_settings
from gateway.network.push import push_subscriptions
from gateway.network.web import web_sessions
from gateway.store.database import transaction
from gateway.store.tables import Account
from tests.support.office import Office
from tests.support.push_browsers import keys_of, person, subscribe


def states(office: Office, handle: str = "kim") -> list[str]:
    return [
        row[0]
        for row in office.sql(
            f"SELECT a.state FROM addresses a JOIN accounts p ON p.id = a.account_id WHERE p.handle = '{handle}' "
            "AND channel = 'push'"
        )
    ]


def signed_in(session: Session, handle: str = "kim") -> tuple[Account, int]:
    kim = person(session, handle)
    web_sessions.begin(session, kim, "code")
    return kim, web_sessions.list_open(session, kim.id)[0].id


def test_all_devices_are_one_address(office: Office) -> None:
    subscribe(office, "kim", "http://127.0.0.1/a")
    last = subscribe(office, "kim", "http://127.0.0.1/b")
    assert states(office) == ["verified"]
    with transaction(office.engine) as session:
        kim = person(session, "kim")
        place = push_subscriptions.address_of(session, kim.id)
        assert place is not None
        [devices] = push_subscriptions.find(session, [place.id]).values()
        assert len(devices) == 2
        assert place not in addresses.of_account(session, kim.id)
        assert push_subscriptions.remove(session, kim.id, last)
        assert not push_subscriptions.remove(session, kim.id, last)
    assert states(office) == ["verified"]
    with transaction(office.engine) as session:
        push_subscriptions.note_answers(session, [], [devices[0].id])
    assert states(office) == ["suspended"]
    subscribe(office, "kim", "http://127.0.0.1/b")
    assert states(office) == ["verified"]


def test_a_device_belongs_to_whoever_signed_in_there_last(office: Office) -> None:
    subscribe(office, "kim")
    subscribe(office, "sam")
    assert (states(office, "kim"), states(office, "sam")) == (["suspended"], ["verified"])
    assert office.sql("SELECT count(*) FROM push_subscriptions") == [(1,)]


def test_the_one_that_was_used_least_makes_room(office: Office) -> None:
    first = subscribe(office, "kim", "http://127.0.0.1/0")
    second = subscribe(office, "kim", "http://127.0.0.1/1")
    with transaction(office.engine) as session:
        push_subscriptions.note_answers(session, [first], [])
    for number in range(2, push_subscriptions.MOST + 1):
        subscribe(office, "kim", f"http://127.0.0.1/{number}")
    left = {row[0] for row in office.sql("SELECT id FROM push_subscriptions")}
    assert len(left) == push_subscriptions.MOST
    assert first in left
    assert second not in left


@pytest.mark.parametrize("how", ["end", "end_all", "expire"])
def test_it_ends_with_the_session(office: Office, how: str) -> None:
    with transaction(office.engine) as session:
        kim, here = signed_in(session)
        push_subscriptions.add(session, kim.id, keys_of(), "Firefox", here)
        push_subscriptions.add(session, kim.id, keys_of("http://127.0.0.1/app"), "An app")
        assert len(push_subscriptions.list_of(session, kim.id)) == 2
        if how == "end":
            web_sessions.end(session, kim.id, here)
        elif how == "end_all":
            web_sessions.end_all(session, kim.id)
        else:
            session.execute(text("UPDATE web_sessions SET expires_at = now() - interval '1 second'"))
        assert [each.device for each in push_subscriptions.list_of(session, kim.id)] == ["An app"]


def test_nothing_is_left_of_who_is_deactivated(office: Office) -> None:
    subscribe(office, "kim")
    with transaction(office.engine) as session:
        accounts.suspend(session, person(session, "kim").id)
    assert states(office) == ["verified"]  # restored, they have all they had
    with transaction(office.engine) as session:
        accounts.deactivate(session, person(session, "kim", active=False).id)
    assert states(office) == ["suspended"]
    assert office.sql("SELECT count(*) FROM push_subscriptions") == [(0,)]


def test_devices_rest_with_the_phone(office: Office) -> None:
    with transaction(office.engine) as session:
        phone = addresses.primary(session, person(session, "kim").id, "sms")
        assert phone is not None
        quiet_settings.set_hours(session, phone.id, "mo 22:00-07:00")
    subscribe(office, "kim")
    rests = "SELECT quiet, receiving FROM addresses WHERE channel = 'push'"
    assert office.sql(rests) == [("mo 22:00-07:00", True)]
    with transaction(office.engine) as session:
        quiet_settings.set_hours(session, phone.id, None)
        addresses.set_receiving(session, phone.id, False)
    assert office.sql(rests) == [(None, False)]


def test_nobody_writes_from_there(office: Office) -> None:
    subscribe(office, "kim")
    with transaction(office.engine) as session:
        kim = person(session, "kim")
        place = push_subscriptions.address_of(session, kim.id)
        assert place is not None
        with pytest.raises(Refused):
            addresses.own(session, person(session, "sam").id, place.id)
