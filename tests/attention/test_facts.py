"""The facts as they come from the database: of usual deliveries none, equal ones once, by the database's clock."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.orm import Session

from gateway.attention import fact_lookup, fact_statements
from gateway.attention.causes import DeliveryCause as Cause
from gateway.attention.fact_lookup import Key, UnusualDelivery
from gateway.attention.facts import CIRCUMSTANCES, KINDS, LOOKED_UP, Facts
from gateway.store.database import transaction
from tests.attention.random_states import RandomState

# A company in which everything is usual: Kim (1) is heard by 2, 3 and 4, who also are in a closed group (9).
USUAL = """
    INSERT INTO accounts (id, kind, handle, name, access)
    SELECT n, 'person', 'p' || n, 'Person ' || n, NULL FROM generate_series(1, 4) n UNION ALL
    SELECT 9, 'group', 'board', 'Board', 'closed';
    INSERT INTO addresses (id, account_id, channel, address)
    SELECT 10 + n, n, 'email', 'p' || n || '@demo.example' FROM generate_series(1, 4) n;
    INSERT INTO follows (follower_id, account_id) SELECT n, followed FROM generate_series(2, 4) n, unnest(ARRAY[1, 9]) followed;
    INSERT INTO posts (id, author_id, group_id, visibility, text, via) VALUES
        (21, 1, NULL, 'company', 'hello', 'sms'), (22, 1, 9, 'group', 'hello', 'sms'), (23, 1, NULL, 'direct', 'hello', 'sms');
    INSERT INTO post_recipients (post_id, account_id, named_id) SELECT 23, n, n FROM generate_series(2, 4) n;
    INSERT INTO messages (id, kind, author_id, post_id, text, subject, body) VALUES
        (31, 'update', 1, 21, '', '', ''), (32, 'update', 1, 22, '', '', ''), (33, 'update', 1, 23, '', '', ''),
        (34, 'answer', NULL, NULL, '', '', ''), (35, 'notice', NULL, NULL, '', '', ''),
        (36, 'code', NULL, NULL, '', '', ''), (37, 'welcome', NULL, NULL, '', '', ''), (38, 'daily', NULL, NULL, '', '', ''),
        (39, 'digest', NULL, NULL, '', '', '');
    INSERT INTO daily_mails (message_id, account_id, posts) VALUES (38, 2, ARRAY[21]);
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, give_up_at)
    SELECT m.id, a.id, coalesce(m.author_id, 0), CASE m.id WHEN 31 THEN 1 WHEN 32 THEN 9 END, 'email', 5,
           now() + interval '1 hour'
    FROM messages m, addresses a WHERE a.id > 11;
"""  # noqa: E501

Found = list[tuple[Facts, list[UnusualDelivery]]]
PEOPLE = ("reader_state", "author_state", "first_state")


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        for statement in USUAL.split(";\n"):
            if statement.strip():
                opened.execute(text(statement))
        yield opened


def keys(session: Session) -> list[Key]:
    return [(row[0], row[1]) for row in session.execute(text("SELECT message_id, address_id FROM deliveries"))]


def find(session: Session) -> Found:
    """With everybody in it who is not there as if they were active, which is the same for the rules; and without what
    is looked up for few."""
    found: dict[Facts, list[UnusualDelivery]] = {}
    for known, deliveries in fact_lookup.find(session, keys(session)):
        people = {name: getattr(known, name) or "active" for name in PEOPLE}
        plain = replace(known, **people, **{name: getattr(Facts(), name) for name in LOOKED_UP})
        found.setdefault(plain, []).extend(deliveries)
    return list(found.items())


def test_of_usual_deliveries_nothing_is_returned(session: Session) -> None:
    """Of each kind, for each kind of post."""
    assert set(session.scalars(text("SELECT kind FROM messages"))) == set(KINDS)
    assert len(keys(session)) == 27
    assert find(session) == []
    assert fact_lookup.find(session, []) == []


def test_every_kind_of_message_is_known(session: Session) -> None:
    check = session.scalar(
        text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'messages_kind_check'")
    )
    assert re.findall(r"'(\w+)'", str(check)) == list(KINDS)


def test_equal_facts_come_once_with_all_their_deliveries(session: Session) -> None:
    session.execute(text("UPDATE addresses SET receiving = false WHERE id IN (12, 13)"))
    now = session.scalars(select(func.now())).one()
    found = {known.kind: [one.address_id for one in deliveries] for known, deliveries in find(session)}
    assert len(find(session)) == len(KINDS)  # the three updates are alike
    assert sorted(found["notice"]) == [12, 13]
    assert sorted(found["update"]) == [12, 12, 12, 13, 13, 13]
    [off] = [known for known, _ in find(session) if known.kind == "update"]
    assert off.give_up_at > now
    assert off == Facts("update", "email", now, give_up_at=off.give_up_at, address_off=True)


NIGHTS = "mo,tu,we,th,fr,sa,su 22:00-07:00"

# One statement that makes one fact unusual, of the delivery of which message to address 12, and the fact's value.
CHANGES: dict[str, tuple[str, int, object]] = {
    "give_up_at": ("UPDATE deliveries SET give_up_at = now()", 35, None),
    "address_state": ("UPDATE addresses SET state = 'stopped'", 35, "stopped"),
    "bouncing": ("UPDATE addresses SET bouncing_since = now()", 35, True),
    "reader_state": ("UPDATE accounts SET state = 'deactivated' WHERE id = 2", 35, "deactivated"),
    "author_state": ("UPDATE accounts SET state = 'suspended' WHERE id = 1", 31, "suspended"),
    "first_state": (
        """WITH gone AS (INSERT INTO accounts (id, kind, handle, name, state)
           VALUES (5, 'person', 'p5', 'P', 'suspended') RETURNING id), first AS (
           INSERT INTO posts (id, author_id, visibility, text, via)
           SELECT 20, id, 'company', 'hello', 'sms' FROM gone RETURNING id)
           UPDATE posts SET repeat_of = 20 FROM first WHERE posts.id = 21""",
        31,
        "suspended",
    ),
    "retracted": ("UPDATE posts SET deleted_at = now()", 31, True),
    "silenced": ("INSERT INTO silences (account_id, other_id, kind) VALUES (1, 2, 'block')", 33, True),
    "addressed": ("DELETE FROM post_recipients", 33, False),
    "member": (
        """WITH gone AS (DELETE FROM follows WHERE account_id = 9)
           UPDATE deliveries SET source_id = 1 WHERE message_id = 32""",
        32,
        False,
    ),
    "daily_wanted": ("UPDATE accounts SET daily = false", 38, False),
    "daily_outdated": ("UPDATE posts SET visibility = 'direct' WHERE id = 21", 38, True),
    "address_off": ("UPDATE addresses SET receiving = false, off_until = now() + interval '1 hour'", 31, True),
    "subscribed": ("UPDATE follows SET expires_at = now()", 31, False),
    "source_off": ("UPDATE follows SET off = true", 31, True),
    "choosing": ("INSERT INTO attention (account_id, prefer) VALUES (2, 'mail')", 31, True),
    "quiet": (f"UPDATE addresses SET quiet = '{NIGHTS}'", 35, NIGHTS),
    "limited": (
        """WITH phones AS (UPDATE addresses SET channel = 'sms', address = '+14155550' || 100 + id)
           INSERT INTO attention (account_id, texts_a_day) SELECT n, 5 FROM generate_series(2, 4) n""",
        31,
        True,
    ),
    "online": (
        """WITH phones AS (UPDATE addresses SET channel = 'sms', address = '+14155550' || 100 + id)
           INSERT INTO presence (account_id, active_at)
           SELECT n, now() - interval '59 seconds' FROM generate_series(2, 4) n""",
        31,
        True,
    ),
    "behind": (
        """INSERT INTO held (message_id, account_id, address_id, cause, reason, until)
           VALUES (31, 2, 12, 6, 'quiet', now() - interval '1 minute')""",
        31,
        True,
    ),
}
CAUSES: dict[int, Cause] = {31: Cause.PERSON, 32: Cause.GROUP, 33: Cause.PRIVATE, 34: Cause.OURS, 39: Cause.OURS}


def test_each_fact_is_tried() -> None:
    assert CHANGES.keys() == {name for name in Facts.__slots__ if name not in CIRCUMSTANCES}


@pytest.mark.parametrize("name", CHANGES)
def test_one_unusual_fact_is_seen(session: Session, name: str) -> None:
    statement, message, value = CHANGES[name]
    session.execute(text(statement))
    now = session.scalars(select(func.now())).one()
    [known] = [known for known, deliveries in find(session) if (message, 12) in [one.key for one in deliveries]]
    assert getattr(known, name) == (value if value is not None else now)
    assert known.now == now
    usual = Facts(known.kind, known.channel, now, give_up_at=known.give_up_at)
    assert known == replace(usual, **{name: getattr(known, name)})


@pytest.mark.parametrize("name", ["daily_wanted", "daily_outdated", "addressed", "member", "subscribed", "source_off"])
def test_what_concerns_one_kind_alone_is_usual_for_others(session: Session, name: str) -> None:
    session.execute(text(CHANGES[name][0]))
    notices = [known for known, _ in find(session) if known.kind in ("notice", "answer", "code", "welcome")]
    assert notices == []


def test_what_may_have_to_wait_is_looked_up(session: Session) -> None:
    session.execute(
        text(f"UPDATE addresses SET quiet = '{NIGHTS}', seen_at = now() - interval '29 minutes' WHERE id = 12")
    )
    session.execute(text("UPDATE accounts SET timezone = 'Asia/Tokyo' WHERE id = 2"))
    session.execute(text("INSERT INTO mentions (post_id, account_id) VALUES (21, 2)"))
    found = {one.message_id: known for known, rows in fact_lookup.find(session, keys(session)) for one in rows}
    assert {message: found[message].cause for message in CAUSES} == CAUSES
    assert {known.timezone for known in found.values()} == {"Asia/Tokyo"}
    assert [message for message, known in sorted(found.items()) if known.in_conversation] == [35]
    session.execute(text("UPDATE deliveries SET source_id = NULL WHERE message_id = 31"))
    assert {known.cause for known, rows in fact_lookup.find(session, [(31, 12)]) for _ in rows} == {Cause.MENTION}


def test_what_quotes_posts_is_returned_with_its_reader(session: Session) -> None:
    session.execute(text("UPDATE messages SET quotes = ARRAY[21, 22] WHERE id = 34"))
    [(known, deliveries)] = find(session)
    assert known == Facts("answer", "email", known.now, give_up_at=known.give_up_at)
    assert sorted(deliveries) == [(34, 10 + reader, reader, [21, 22]) for reader in (2, 3, 4)]


def test_what_is_returned_is_unusual(engine: Engine) -> None:
    """In any state: what is not would be transferred and judged for nothing."""
    with engine.connect() as connection, Session(connection) as session:
        found = fact_lookup.find(session, RandomState(session, 7, 0.1).make())
        session.rollback()
    assert len(found) > 500
    for known, deliveries in found:
        usual = replace(Facts(), **{name: getattr(known, name) for name in (*CIRCUMSTANCES, "give_up_at")})
        assert known != usual or known.give_up_at <= known.now or any(one.quotes is not None for one in deliveries)


def test_the_driver_remembers_how_it_reads_the_statement() -> None:
    """It does so up to 4,096 characters; a longer one is read anew each time, about 20 µs for each text that leaves."""
    assert len(str(fact_statements.FACTS.compile(dialect=psycopg.dialect(paramstyle="pyformat")))) <= 4096
