"""What authors are told later: the counts of a wide post, and a late mail. Once, whatever dies in between."""

import re
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from gateway.ledger.outbox import due_work
from gateway.ledger.outbox.outbox import Target
from gateway.network.people import accounts, addresses, way_choices
from gateway.network.posts import posts
from gateway.network.receipts import author_reports
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Fanout, Post, Telling
from tests.support.delivering import Carrier, change, open_context, person, post, rows
from tests.support.office import Office
from workers import author_reports as worker
from workers import fanout
from workers.runtime.context import WorkerContext

NOTICES = """
    SELECT m.id, m.text, m.subject, m.body, array_agg(d.channel ORDER BY d.channel) AS channels
    FROM messages m JOIN deliveries d ON d.message_id = m.id WHERE m.kind = 'notice' GROUP BY m.id ORDER BY m.id
"""
HOUR_LATER = "UPDATE tellings SET due_at = due_at - interval '1 hour'"


@pytest.fixture
def context(settings: Settings) -> Iterator[WorkerContext]:
    context = open_context(settings.model_copy(update={"ask_phones": 2}), Carrier("sms"), Carrier("email"))
    yield context
    context.close()


def told(context: WorkerContext) -> list[tuple[str, list[str]]]:
    while worker.step(context):
        pass
    return [(row.text, row.channels) for row in rows(context.engine, NOTICES)]


def spread(context: WorkerContext) -> None:
    while fanout.step(context):
        pass


def broadcast(office: Office, context: WorkerContext) -> None:
    """Dana posts to dispatch, which Bob hears, and somebody who opted out on the way."""
    with transaction(office.engine) as session:
        more = accounts.create_person(session, "ana", "Ana Ruiz").id
        phone = addresses.add(session, more, "sms", "+14155550177")
        group = accounts.by_handle(session, "dispatch")
        assert group
        change_follow = f"INSERT INTO follows (follower_id, account_id, by_text) VALUES ({more}, {group.id}, true)"
    change(office.engine, change_follow)
    office.says("dana", "#dispatch dock 4 is free")
    office.read()
    spread(context)
    with transaction(office.engine) as session:
        addresses.stop(session, session.get_one(type(phone), phone.id), "STOP")
    office.work()


def test_a_broadcasts_poster_hears_the_counts_after_an_hour(office: Office, context: WorkerContext):
    broadcast(office, context)
    assert told(context) == []
    with transaction(office.engine) as session:
        assert "tellings" not in due_work.look(session).drains
    change(office.engine, HOUR_LATER)
    with transaction(office.engine) as session:
        assert "tellings" in due_work.look(session).drains
    [(words, channels)] = told(context)
    day = r"[A-Z][a-z]{2} \d{1,2}"
    expected = rf'After an hour, "dock 4 is free": 1 got it\. Missed: Ana Ruiz \(opted out on {day}\)\.'
    assert re.fullmatch(expected, words)
    assert channels == ["sms"]
    assert told(context) == [(words, channels)]


def test_who_has_a_mailbox_gets_the_list_there_and_first_names_by_text(office: Office, context: WorkerContext):
    change(
        office.engine,
        "INSERT INTO addresses (account_id, channel, address, is_primary)"
        " SELECT id, 'email', 'dana@demo.example', true FROM accounts WHERE handle = 'dana'",
    )
    broadcast(office, context)
    change(office.engine, HOUR_LATER)
    [(words, channels)] = told(context)
    assert words == 'After an hour, "dock 4 is free": 1 got it. Missed: Ana. Your mail has the list.'
    assert channels == ["email", "sms"]
    body = rows(office.engine, NOTICES)[0].body
    assert (
        "\nBy text: 0 arrived, 1 taken by the carrier, 0 waiting, 0 later, 0 on the web, 0 failed, 1 opted out\n"
        in body
    )
    assert re.search(r"\nThese people do not have it:\nAna Ruiz: opted out on \w{3} \d+$", body)


def test_an_ordinary_post_is_not_told_of(office: Office, context: WorkerContext):
    office.says("kim", "hello")
    office.says("pat", "#sales lunch")
    office.read()
    spread(context)
    assert rows(office.engine, "SELECT * FROM tellings") == []


def test_a_post_to_many_phones_is(office: Office, context: WorkerContext):
    """Here everything above two is many; what several fan-outs of a post bring counts together."""
    with transaction(office.engine) as session:
        for number in range(3):
            account = accounts.create_person(session, f"more{number}", f"More {number}").id
            addresses.add(session, account, "sms", f"+141555601{number:02}")
            kim = accounts.by_handle(session, "kim")
            assert kim
            session.flush()
            session.execute(
                Fanout.metadata.tables["follows"].insert().values(follower_id=account, account_id=kim.id, by_text=True)
            )
    office.says("kim", "hello")
    office.read()
    spread(context)
    assert [row.kind for row in rows(office.engine, "SELECT * FROM tellings")] == ["counts"]


def test_who_took_it_back_is_told_nothing(office: Office, context: WorkerContext):
    broadcast(office, context)
    with transaction(office.engine) as session:
        posts.retract(session, session.scalars(select(Post)).one())
    change(office.engine, HOUR_LATER)
    assert told(context) == []
    assert rows(office.engine, "SELECT told_at FROM tellings")[0].told_at


def test_a_crash_before_the_commit_tells_nothing_and_the_next_tells_once(office: Office, context: WorkerContext):
    broadcast(office, context)
    change(office.engine, HOUR_LATER)
    with Session(office.engine) as session:  # ends without a commit
        author_reports.tell(session, author_reports.due(session, 9)[0])
        assert session.scalar(select(Telling.told_at))
    assert len(told(context)) == 1


def test_two_workers_tell_once(office: Office, context: WorkerContext):
    broadcast(office, context)
    change(office.engine, HOUR_LATER)
    workers = [threading.Thread(target=worker.step, args=(context,)) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert len(told(context)) == 1


REFUSED = """
    CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no' USING ERRCODE = '23514'; END $$;
    CREATE TRIGGER no BEFORE UPDATE ON tellings FOR EACH ROW WHEN (new.post_id = 7 AND new.told_at IS NOT NULL)
        EXECUTE FUNCTION no()"""


def test_one_that_cannot_be_told_does_not_hold_up_the_others(office: Office, context: WorkerContext, owner: Engine):
    change(owner, REFUSED)
    broadcast(office, context)
    change(
        office.engine,
        """INSERT INTO posts (id, author_id, visibility, text, via) SELECT 7, id, 'company', 'x', 'sms' FROM accounts
           WHERE handle = 'kim';
           INSERT INTO messages (id, kind, post_id, text, subject, body) VALUES (8, 'update', 7, '', '', '');
           INSERT INTO deliveries (message_id, address_id, channel, priority, state, give_up_at, ended_at)
           SELECT 8, min(id), 'sms', 5, 'failed', now(), now() FROM addresses;
           INSERT INTO tellings (post_id, kind, due_at) VALUES (7, 'counts', now() - interval '9 hours')""",
    )
    change(office.engine, HOUR_LATER)
    assert len(told(context)) == 1
    waits = rows(office.engine, "SELECT due_at > now() AS later, told_at FROM tellings WHERE post_id = 7")[0]
    assert waits.later
    assert waits.told_at is None


@pytest.fixture
def late(engine: Engine) -> int:
    """A post of Kim's, two mails of which were tried in vain for an hour; her account."""
    kim = person(engine, "kim", phone="+14155550101")[0]
    boxes = [Target(person(engine, f"m{n}")[1], "email") for n in range(3)]
    post(engine, kim, "the quarter's numbers are in", boxes)
    change(engine, "UPDATE messages SET created_at = now() - interval '61 minutes'")
    change(
        engine,
        "UPDATE deliveries SET created_at = now() - interval '61 minutes', state = 'retry', reason = '451',"
        " not_before = now() + interval '1 minute'",
    )
    change(engine, f"UPDATE deliveries SET state = 'sent', ended_at = now() WHERE address_id = {boxes[0].address_id}")
    return kim


def note(engine: Engine) -> int:
    with transaction(engine) as session:
        return author_reports.note_delays(session)


def test_a_late_mail_is_told_once_for_the_post(context, engine, late):
    assert note(engine) == 1
    said = '"the quarter\'s num...": 2 mails could not be delivered within an hour. We keep trying for two days.'
    assert told(context) == [(said, ["sms"])]
    assert note(engine) == 0
    assert len(told(context)) == 1


def test_a_mail_that_waits_for_its_worker_is_late_too(context, engine, late):
    change(engine, "UPDATE deliveries SET state = 'queued', not_before = now() - interval '61 minutes'")
    assert note(engine) == 1


@pytest.mark.parametrize(
    "young",
    [
        "UPDATE messages SET created_at = now() - interval '59 minutes'",
        "UPDATE deliveries SET created_at = now() - interval '59 minutes'",
        "UPDATE deliveries SET state = 'queued'",  # not to leave before a time to come
        "UPDATE deliveries SET channel = 'sms'",
        "UPDATE deliveries SET ended_at = now(), state = 'failed'",
        "UPDATE messages SET kind = 'notice'",
    ],
)
def test_what_is_not_late_is_not_told(engine, late, young):
    change(engine, young)
    assert note(engine) == 0


def test_what_arrived_meanwhile_is_not_told(context, engine, late):
    assert note(engine) == 1
    change(engine, "UPDATE deliveries SET state = 'sent', ended_at = now()")
    assert told(context) == []


def test_every_late_message_is_found_however_many_are_open(engine, late):
    """The walk from message to message passes those that are not late, and all priorities."""
    box = rows(engine, "SELECT address_id FROM deliveries WHERE ended_at IS NULL LIMIT 1")[0].address_id
    for number in range(5):
        message = post(engine, late, f"another {number}", [Target(box, "email")])
        if number % 2:
            change(
                engine,
                f"UPDATE messages SET created_at = now() - interval '2 hours' WHERE id = {message};"
                f" UPDATE deliveries SET created_at = now() - interval '2 hours', state = 'retry',"
                f" priority = {number} WHERE message_id = {message}",
            )
    assert note(engine) == 3


@pytest.mark.parametrize("prefers", [False, True])
def test_who_prefers_mails_is_told_by_mail_alone(office: Office, context: WorkerContext, prefers: bool) -> None:
    with transaction(office.engine) as session:
        dana = accounts.by_handle(session, "dana")
        assert dana
        addresses.add(session, dana.id, "email", "dana@demo.example")
        way_choices.set_preferred(session, dana.id, "mail" if prefers else None)
    broadcast(office, context)
    change(office.engine, HOUR_LATER)
    [(_, channels)] = told(context)
    assert channels == (["email"] if prefers else ["email", "sms"])
