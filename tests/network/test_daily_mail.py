"""The mail of the day: whose morning it is, once a day whatever dies, what stands in it, and how it is ended."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gateway.channels import MAILS
from gateway.ledger.outbox import claims
from gateway.network.conversation import notices
from gateway.network.follows import follows, mutes
from gateway.network.follows.mutes import MuteSnapshot
from gateway.network.mail import daily_mail, mailing_lists, unsubscribe
from gateway.network.people import accounts, addresses
from gateway.network.posts import posts
from gateway.network.posts.posts import NewPost
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Installation
from tests.support import personas
from tests.support.refusals import refusals
from workers.sending.render_mail import Mailing

SIGNER = Signer(("a key",))
COMPANY = "Demo Co"
READERS = 16


@pytest.fixture
def company(engine: Engine) -> Engine:
    """The cast, sixteen people since two days who follow nobody, and an update of Kim's."""
    with transaction(engine) as session:
        session.add(Installation(mode="simulated"))
        personas.assemble(session)
        for number in range(READERS):
            person = accounts.create_person(session, f"reader{number}", f"Reader {number}")
            addresses.add(session, person.id, "email", f"reader{number}@demo.example")
        say(session, "kim", "starting the ACME proposal")
        session.execute(text("UPDATE accounts SET created_at = created_at - interval '2 days'"))
    return engine


def say(session: Session, handle: str, words: str, group: str = "") -> None:
    author, target = accounts.by_handle(session, handle), accounts.by_handle(session, group) if group else None
    assert author
    posts.publish(session, NewPost(author, words, "group" if target else "company", "sms", target))


def write(engine: Engine, hour: int | None = None, most: int = 1000) -> tuple[int, int]:
    """At this hour in UTC, unless one is given."""
    with transaction(engine) as session:
        return daily_mail.write(session, SIGNER, personas.DOMAIN, COMPANY, now().hour if hour is None else hour, most)


def now() -> datetime:
    return datetime.now(UTC)


def bodies(engine: Engine, handle: str) -> list[str]:
    """Of the daily mails that somebody is sent, the oldest first."""
    with transaction(engine) as session:
        rows = session.execute(
            text("""
                SELECT m.body FROM messages m JOIN deliveries d ON d.message_id = m.id
                JOIN addresses a ON a.id = d.address_id JOIN accounts p ON p.id = a.account_id
                WHERE m.kind = 'daily' AND p.handle = :handle ORDER BY m.id
            """),
            {"handle": handle},
        )
        return list(rows.scalars())


def next_day(engine: Engine) -> None:
    with transaction(engine) as session:
        session.execute(text("UPDATE accounts SET daily_on = daily_on - 1"))


def test_each_once_a_day_from_several_workers(company: Engine) -> None:
    gate = threading.Barrier(4)

    def work() -> int:
        gate.wait()
        return sum(write(company, most=7)[1] for _ in range(10))

    with ThreadPoolExecutor(4) as pool:
        mails = sum(each.result() for each in [pool.submit(work) for _ in range(4)])
    assert mails == READERS
    assert [len(bodies(company, f"reader{number}")) for number in range(READERS)] == [1] * READERS
    assert write(company) == (0, 0)


def test_a_worker_that_dies_leaves_nothing(company: Engine) -> None:
    with company.connect() as connection, Session(connection) as session:
        assert daily_mail.write(session, SIGNER, personas.DOMAIN, COMPANY, now().hour, 1000)[1] == READERS
        session.rollback()
    assert bodies(company, "reader0") == []
    assert write(company)[1] == READERS


def test_nothing_new_no_mail_and_nothing_twice(company: Engine) -> None:
    write(company)
    next_day(company)
    looked_at, mails = write(company)
    assert (looked_at >= READERS, mails) == (True, 0)
    with transaction(company) as session:
        say(session, "sam", "the van is back")
    assert write(company) == (0, 0)  # this morning is over
    next_day(company)
    write(company)
    assert "ACME" not in bodies(company, "reader0")[-1]
    assert "the van is back" in bodies(company, "reader0")[-1]


def test_only_what_everyone_may_read(company: Engine) -> None:
    with transaction(company) as session:
        say(session, "anne", "a secret of the board", "board")
        say(session, "dana", "to those who listen", "dispatch")
        say(session, "pat", "to sales", "sales")
        say(session, "bob", "I am not heard")
        bob, reader = (accounts.by_handle(session, handle) for handle in ("bob", "reader0"))
        assert bob
        assert reader
        mutes.put(session, reader.id, bob.id, MuteSnapshot("mute", None))
        say(session, "reader0", "my own words")
    write(company)
    [body] = bodies(company, "reader0")
    assert "to sales" in body
    for unseen in ("secret", "listen", "not heard", "my own"):
        assert unseen not in body
    assert "my own words" in bodies(company, "reader1")[0]


def test_who_gets_none(company: Engine) -> None:
    with transaction(company) as session:
        people = {n: accounts.by_handle(session, f"reader{n}") for n in range(7)}
        boxes = {n: addresses.of_account(session, one.id)[0] for n, one in people.items() if one}
        kim = accounts.by_handle(session, "kim")
        assert kim
        follows.follow(session, boxes[0].account_id or 0, kim.id, False)
        addresses.set_receiving(session, boxes[1].id, False)
        addresses.stop(session, boxes[2], "stop", source="mail")
        daily_mail.subscribe(session, boxes[3].account_id or 0, False)
        accounts.suspend(session, boxes[4].account_id or 0)
        session.execute(text("UPDATE accounts SET created_at = now() WHERE id = :id"), {"id": boxes[5].account_id})
        boxes[6].state = "invited"
    assert write(company)[1] == READERS - 7
    for number in range(7):
        assert bodies(company, f"reader{number}") == []


def test_in_the_reader_s_own_morning(company: Engine) -> None:
    with transaction(company) as session:
        session.execute(text("UPDATE accounts SET timezone = 'Nowhere/Atall' WHERE handle = 'reader1'"))
        session.execute(text("UPDATE accounts SET timezone = 'Etc/GMT+1' WHERE handle = 'reader2'"))
    write(company)
    assert bodies(company, "reader2") == []  # an hour to go
    assert len(bodies(company, "reader1")) == 1  # a zone that nobody knows is UTC, and fails nobody's mail


def test_the_mail_itself(company: Engine, settings: Settings) -> None:
    write(company)
    with transaction(company) as session:
        [claimed] = claims.claim(session, "email", "test", MAILS.gives_up_after, 1)
        assert refusals(session, [claimed.key]) == {}
        addresses.set_receiving(session, claimed.address_id, False)
        assert refusals(session, [claimed.key]) == {claimed.key: "off"}
        content = claims.contents(session, [claimed.message_id])[claimed.message_id]
    load, rest = Mailing(settings, SIGNER).load(claimed, content)
    mail = message_from_bytes(load.parcel.content, policy=default)
    assert rest == ""
    assert mail["List-Id"] == f"<daily.{settings.mail_domain}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    ending = str(mail["List-Unsubscribe"]).partition("mailto:u+")[2].partition("@")[0]
    assert SIGNER.read("unsubscribe", ending) == (mailing_lists.NUMBERS["daily"], claimed.address_id)
    token = str(mail["Reply-To"]).strip("<>").removeprefix("r+").partition("@")[0]
    assert SIGNER.read("reply", token) == (claimed.message_id, claimed.address_id)


def test_its_link_ends_it(company: Engine) -> None:
    with transaction(company) as session:
        reader = accounts.by_handle(session, "reader0")
        assert reader
        [box] = addresses.of_account(session, reader.id)
        ending = unsubscribe.pair(session, mailing_lists.NUMBERS["daily"], box.id)
        assert ending
        unsubscribe.end(session, ending)
        unsubscribe.end(session, ending)
    write(company)
    assert bodies(company, "reader0") == []
    assert len(bodies(company, "reader1")) == 1


TAKEN_BACK = {
    "its post is taken back": ("UPDATE posts SET deleted_at = now()", "retracted"),
    "its writer is suspended": ("UPDATE accounts SET state = 'suspended' WHERE handle = 'kim'", "retracted"),
    "its writer blocked the reader": (
        "INSERT INTO silences (account_id, other_id, kind) SELECT k.id, r.id, 'block' FROM accounts k, accounts r"
        " WHERE k.handle = 'kim' AND r.handle = 'reader0'",
        "retracted",
    ),
    "its reader wants none": ("UPDATE accounts SET daily = false WHERE handle = 'reader0'", "off"),
    "nothing": ("SELECT 1", None),
}


@pytest.mark.parametrize("what", TAKEN_BACK)
def test_one_that_waits_does_not_leave_when(company: Engine, what: str) -> None:
    write(company)
    statement, reason = TAKEN_BACK[what]
    key = """SELECT d.message_id, d.address_id FROM deliveries d JOIN addresses a ON a.id = d.address_id
             JOIN accounts p ON p.id = a.account_id WHERE p.handle = 'reader0'"""
    with transaction(company) as session:
        session.execute(text(statement))
        message, address = session.execute(text(key)).one()
        assert refusals(session, [(message, address)]) == ({(message, address): reason} if reason else {})


def test_no_answer_waits_for_it(company: Engine) -> None:
    """A relay may take hours for the mails of the day; an answer goes before."""
    write(company)
    with transaction(company) as session:
        reader = accounts.by_handle(session, "reader0")
        assert reader
        queues = notices.tell(session, [reader.id], "an answer")
        assert queues == {"email"}
    with transaction(company) as session:
        [first] = claims.claim(session, "email", "test", MAILS.gives_up_after, 1)
        kind = session.scalar(text("SELECT kind FROM messages WHERE id = :id"), {"id": first.message_id})
    assert kind == "notice"
