"""Plain updates are read in batches, everything else by itself. Both ways lead to the same: a company at random talks
in two databases, one of which knows no batches, and the same rows and answers come of it."""

import random
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from gateway.inbound import plain_updates
from gateway.inbound.plain_texts import ClaimedText
from gateway.ledger.audit.invariants import prove
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.senders import senders
from gateway.settings import Settings
from gateway.store.database import connect, transaction
from tests.support import personas
from tests.support.databases import Kept
from tests.support.delivering import Carrier, open_context
from tests.support.examples import each
from tests.support.office import Office
from workers import fanout, inbound, inbound_batch
from workers.runtime.context import WorkerContext

KEY = "a secret that all tests have in common"
# What is said may come in any order from different people. What is done is done alone: it may change what others get.
TALKERS = ("kim", "sam", "bob", "dana", "pat", "anne")
SECRET = "the quarterly numbers are worse than we told the board last week"
SAID = (
    "starting the ACME proposal", "lunch is at noon", "running late, traffic on the bridge", "Good morning",
    "new build is out: https://ex.org/x", "lang:es buenos dias a todos", "ACME signed!!", "in a meeting until 3",
    "@sam see this", "sam: are you in?", "great day #win", "Anyone seen the keys?", ".follow kim", "“follow kim”",
    "ok", "yes", "no", "1", "2", "123456", "Liked “starting the ACME proposal”", "Loved an image",
    "(1/2) the first part of it", "(2/2) and the second", "2/2 and the rest", "thanks", "reply privately no", "r hello",
    "tell sam hello", "message for sam only: hi", "x" * 170, "", "   ",
    "\u200bhidden", "Grüße aus Köln 🎉", SECRET, f"so {SECRET}, he said", "we make acme widgets here", "whois kim",
    "who got", "?", "dispatch: all clear", "#sales numbers are in", "kim", "follow", "more", "digest",
)  # fmt: skip
DONE = (
    "follow kim", "follow sam", "follow dana", "unfollow kim", "mute sam", "block bob", "unblock bob", "unmute sam",
    "track acme widgets", "untrack acme widgets", f"d sam {SECRET}", "d kim see you at five", "off", "on", "ack on",
    "ack off", "please stop texting me", "stop it now", "START", "follow #win", "digest daily", "digest off",
    "undo", "#sales numbers are in", "pin off",
)  # fmt: skip

PLAIN = ("starting the ACME proposal", "lunch is at noon", "ACME signed!!", "in a meeting until 3", "Grüße aus Köln 🎉")
EVERYBODY_FOLLOWS = """
    INSERT INTO follows (follower_id, account_id, by_text)
    SELECT reader.id, writer.id, writer.handle < reader.handle FROM accounts reader, accounts writer
    WHERE reader.kind = 'person' AND writer.kind = 'person' AND reader.id <> writer.id ON CONFLICT DO NOTHING
"""
NUMBERED = "WITH n AS (SELECT id, row_number() OVER (ORDER BY id) AS at, text AS said FROM inbound)"
ROWS = (
    """SELECT n.at, n.said, i.state, i.intent, i.reason, i.account_id, i.attempt, i.lease_owner IS NULL,
              i.done_at IS NULL
       FROM inbound i JOIN n USING (id) ORDER BY 1""",
    """SELECT n.at, author_id, group_id, visibility, p.text, lang, via, deleted_at IS NULL, p.in_reply_to IS NULL,
              p.attached, p.search FROM posts p JOIN n ON n.id = p.inbound_id ORDER BY 1, 5""",
    """SELECT coalesce(n.at, o.at), m.kind, m.author_id, m.priority, m.must_arrive, m.text, m.subject, m.body
       FROM messages m LEFT JOIN posts p ON p.id = m.post_id LEFT JOIN n ON n.id = p.inbound_id
       LEFT JOIN n o ON o.id = m.inbound_id ORDER BY 1, 2, 6""",
    """SELECT coalesce(n.at, o.at), d.address_id, d.author_id, d.source_id IS NULL, d.channel, d.priority,
              d.state, round(extract(epoch FROM d.give_up_at - d.created_at))
       FROM deliveries d JOIN messages m ON m.id = d.message_id LEFT JOIN posts p ON p.id = m.post_id
       LEFT JOIN n ON n.id = p.inbound_id LEFT JOIN n o ON o.id = m.inbound_id ORDER BY 1, 2, 3""",
    """SELECT n.at, f.author_id, f.source_id = f.author_id, f.state, f.reached, f.texts, f.mails, f.attempt,
              f.done_at IS NULL
       FROM fanouts f JOIN posts p ON p.id = f.post_id JOIN n ON n.id = p.inbound_id ORDER BY 1""",
    """SELECT n.at, a.account_id, a.door, e.number, e.kind, e.account_id, e.undone_at IS NULL, e.detail
       FROM actions a JOIN effects e ON e.action_id = a.id JOIN n ON n.id = a.inbound_id ORDER BY 1, 4""",
    "SELECT id, state, seen_at IS NULL, sender_id FROM addresses ORDER BY id",
    "SELECT address_id, question IS NULL, half IS NULL, thread_id IS NULL, liked = '{}' FROM conversations ORDER BY 1",
    "SELECT count(*), NULL FROM offers",
    "SELECT count(*), NULL FROM refusals",
    "SELECT count(*), NULL FROM drafts",
)


class Company:
    """The same people in a database of their own, read by a real worker."""

    def __init__(self, settings: Settings, engine: Engine, url: str) -> None:
        self.engine, self.number = engine, settings.sms_numbers[0]
        Office(engine, settings).assemble()
        self.context: WorkerContext = open_context(settings, Carrier("sms"), Carrier("email"))
        self.context.engine = connect(url, by_key=True)
        with transaction(engine) as session:
            senders.sync(session, [(number, "twilio") for number in settings.sms_numbers])
            session.execute(text(EVERYBODY_FOLLOWS))

    def hear(self, said: list[tuple[str, str]]) -> None:
        phones = {person.handle: person.phone or "" for person in personas.PEOPLE}
        with transaction(self.engine) as session:
            key = inbox.hash_key(session)
            rows = [
                Incoming("sms", uuid.uuid4().bytes, phones[who], (self.number,), b"", True, text=words)
                for who, words in said
            ]
            inbox.accept(session, key, rows)
        while inbound.step(self.context):
            pass
        while fanout.step(self.context):
            pass
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE fanouts SET not_before = now() WHERE state = 'waiting'"))
        while fanout.step(self.context):
            pass
        with self.engine.begin() as connection:
            connection.execute(
                text("UPDATE deliveries SET state = 'sent', sent_at = now(), ended_at = now() WHERE state = 'queued'")
            )

    def rows(self) -> list[list[tuple[Any, ...]]]:
        with self.engine.connect() as connection:
            found = [connection.execute(text(f"{NUMBERED} {each}")).all() for each in ROWS]
        return [[_without_ids(tuple(row)) for row in rows] for rows in found]

    def close(self) -> None:
        self.context.close()


def _without_ids(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Without ids of posts and drafts, and times, which are those of the moment, in questions and details."""
    return tuple(OF_THE_MOMENT.sub("#", str(value)) if isinstance(value, dict | str) else value for value in row)


OF_THE_MOMENT = re.compile(r"\d{12,}|\d{4}-\d\d-\d\dT[\d:.+]+")


@pytest.fixture
def both(
    databases: Kept, settings: Settings, engine: Engine, database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[list[tuple[str, str]]], tuple[Company, Company]]]:
    """Both companies hear the same: the first in batches, the second row by row."""
    with databases.lent() as other_url:
        other = databases.connect(other_url, keys=(KEY,))
        batches, alone = Company(settings, engine, database), Company(settings, other, other_url)
        claim = inbound_batch.claim

        def without_facts(context: WorkerContext, *given: Any) -> list[ClaimedText]:
            found = claim(context, *given)
            return (
                found
                if context is batches.context
                else [one._replace(address_id=None, account_id=None) for one in found]
            )

        monkeypatch.setattr(inbound_batch, "claim", without_facts)
        again = inbound_batch.look_again
        monkeypatch.setattr(
            inbound_batch,
            "look_again",
            lambda context, rows: again(context, rows) if context is batches.context else list(rows),
        )

        def hear(said: list[tuple[str, str]]) -> tuple[Company, Company]:
            batches.hear(said)
            alone.hear(said)
            return batches, alone

        yield hear
        batches.close()
        alone.close()
        other.dispose()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many updates each batch published."""
    counts: list[int] = []
    publish = plain_updates.publish

    def counted(*given: Any) -> Any:
        found = publish(*given)
        counts.append(len(found))
        return found

    monkeypatch.setattr(plain_updates, "publish", counted)
    return counts


@pytest.mark.repeats
@pytest.mark.parametrize("seed", each(3, range(3)))
def test_a_company_at_random_in_waves_and_row_by_row(seed: int, both: Any, published: list[int]) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        if chance.random() < 0.3:
            said = [(chance.choice(TALKERS), chance.choice(DONE))]
        else:
            words = chance.choice((PLAIN, SAID, SAID + PLAIN))
            said = [(chance.choice(TALKERS), chance.choice(words)) for _ in range(chance.randint(1, 6))]
        batches, alone = both(said)
        for one, other in zip(batches.rows(), alone.rows(), strict=True):
            assert one == other, said
    assert sum(published) > 10, "hardly anything was plain"
    with transaction(batches.engine) as session:
        assert prove(session).broken == ()


@pytest.mark.parametrize("words", ["starting the ACME proposal", "ACME signed!!"])
def test_a_plain_update_is_written_by_its_wave(words: str, both: Any, published: list[int]) -> None:
    both([("kim", words), ("kim", words), ("sam", "follow kim")])
    assert published[:2] == [1, 1]


UNUSUAL = {
    "an opt-out": "UPDATE addresses SET state = 'stopped', stopped_at = now() WHERE address = :phone",
    "a pin": "UPDATE accounts SET pin = 'always' WHERE handle = 'kim'",
    "acknowledged": "UPDATE accounts SET ack = true WHERE handle = 'kim'",
    "long silent": "UPDATE addresses SET seen_at = now() - interval '1000 days' WHERE address = :phone",
    "a question": """INSERT INTO conversations (address_id, question, expires_at)
                     SELECT id, '{"kind": "confirm", "choices": [], "words": ["OK"], "about": {}, "secret": false}',
                     now() + interval '1 minute' FROM addresses WHERE address = :phone""",
    "a reader who chooses": "UPDATE accounts SET chooses = true WHERE handle = 'sam'",
    "nobody follows": "DELETE FROM follows WHERE account_id = (SELECT id FROM accounts WHERE handle = 'kim')",
    "a fan-out that waits": """
        WITH p AS (INSERT INTO posts (author_id, visibility, text, via)
                   SELECT id, 'company', 'first', 'api' FROM accounts WHERE handle = 'kim' RETURNING id, author_id),
        m AS (INSERT INTO messages (kind, author_id, post_id, text, subject, body)
              SELECT 'update', author_id, id, 'first', '', '' FROM p RETURNING id, post_id, author_id)
        INSERT INTO fanouts (message_id, source_id, post_id, author_id, not_before)
        SELECT id, author_id, post_id, author_id, now() + interval '1 hour' FROM m""",
}


@pytest.mark.parametrize("unusual", UNUSUAL)
def test_whatever_is_unusual_is_read_alone(unusual: str, both: Any, published: list[int]) -> None:
    batches, alone = both([("kim", "the first one")])
    assert sum(published) == 1
    phone = next(person.phone for person in personas.PEOPLE if person.handle == "kim")
    for company in (batches, alone):
        with company.engine.begin() as connection:
            connection.execute(text(UNUSUAL[unusual]), {"phone": phone} if ":phone" in UNUSUAL[unusual] else {})
    both([("kim", "the second one")])
    assert sum(published) == 1
    assert batches.rows() == alone.rows()


def test_a_wave_that_fails_is_read_row_by_row(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("one of them is poison")

    monkeypatch.setattr(plain_updates, "publish", broken)
    batches, alone = both([("kim", "one"), ("sam", "two"), ("kim", "three")])
    assert batches.rows() == alone.rows()
    assert [row[2] for row in batches.rows()[0]] == ["done"] * 3


def test_a_row_that_another_worker_has_by_now_is_not_written(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    publish = plain_updates.publish

    def late(connection: Any, updates: Any, most: int) -> Any:
        with batches.engine.begin() as other:
            other.execute(text("UPDATE inbound SET attempt = attempt + 1 WHERE text = 'mine no more'"))
        return publish(connection, updates, most)

    batches, _ = both([("sam", "warm up")])
    monkeypatch.setattr(plain_updates, "publish", late)
    batches.hear([("kim", "mine no more"), ("sam", "still mine")])
    with batches.engine.connect() as connection:
        posted = connection.execute(text("SELECT text FROM posts ORDER BY text")).scalars().all()
    assert posted == ["still mine", "warm up"]
