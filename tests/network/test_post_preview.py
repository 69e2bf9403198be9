"""What a post would do is what it does: the preview against the fan-out and the decisions of the same company, for
random companies; and samples of many people against all of them."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gateway.attention.decision import Drop
from gateway.attention.planned_post import PlannedPost
from gateway.ledger.outbox import fanouts
from gateway.ledger.outbox.held import FOR_DIGEST, Hold
from gateway.network.audience import delivery_decisions, post_preview, recipients
from gateway.network.audience.post_preview import PostPreview, preview
from gateway.network.posts import posts
from gateway.network.posts.posts import NewPost
from gateway.store.database import transaction
from gateway.store.tables import Account

PEOPLE = 80
STATES = [
    "UPDATE addresses SET quiet = 'mo,tu,we,th,fr,sa,su 00:00-23:59', quiet_since = now() WHERE account_id = :id",
    "UPDATE addresses SET receiving = false WHERE account_id = :id AND channel = 'sms'",
    "UPDATE addresses SET receiving = false, off_until = now() + interval '1 hour' WHERE account_id = :id",
    "UPDATE addresses SET state = 'stopped', stopped_at = now() WHERE account_id = :id AND channel = 'sms'",
    "UPDATE addresses SET bouncing_since = now() WHERE account_id = :id AND channel = 'email'",
    "UPDATE accounts SET state = 'suspended' WHERE id = :id",
    """WITH daily AS (INSERT INTO attention (account_id, digest_every) VALUES (:id, 'day')
                     ON CONFLICT (account_id) DO UPDATE SET digest_every = 'day')
       UPDATE follows SET way = 'digest' WHERE follower_id = :id""",
    """WITH daily AS (INSERT INTO attention (account_id, digest_every) VALUES (:id, 'day')
                     ON CONFLICT (account_id) DO UPDATE SET digest_every = 'day'),
            tags AS (UPDATE topic_follows SET way = 'digest' WHERE follower_id = :id),
            words AS (UPDATE trackers SET way = 'digest' WHERE follower_id = :id)
       UPDATE follows SET way = 'digest' WHERE follower_id = :id""",
    """INSERT INTO attention (account_id, prefer) VALUES (:id, 'mail')
       ON CONFLICT (account_id) DO UPDATE SET prefer = 'mail'""",
    """INSERT INTO attention (account_id, person, tag, "group") VALUES (:id, 'text', 'nothing', 'mail')
       ON CONFLICT (account_id) DO UPDATE SET person = 'text', tag = 'nothing', "group" = 'mail'""",
    "UPDATE follows SET off = true WHERE follower_id = :id",
    "UPDATE follows SET expires_at = now() - interval '1 hour' WHERE follower_id = :id",
    "INSERT INTO silences (account_id, other_id, kind) VALUES (:id, 1, 'mute')",
    "INSERT INTO silences (account_id, other_id, kind) VALUES (:id, 2, 'mute')",
    "INSERT INTO silences (account_id, other_id, kind) VALUES (1, :id, 'block')",
    """WITH few AS (INSERT INTO attention (account_id, texts_a_day) VALUES (:id, 1)
                   ON CONFLICT (account_id) DO UPDATE SET texts_a_day = 1)
       INSERT INTO budgets (day, scope, subject, used)
       SELECT (now() AT TIME ZONE 'UTC')::date, 'reader', CAST(CAST(:id AS bigint) AS text), 1""",
]
ADDRESS = "INSERT INTO addresses (account_id, channel, address, is_primary) VALUES (:id, :channel, :address, true)"
WORDS = "gate 4 is closed #win says @p100"


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        run = opened.execute
        run(text("INSERT INTO accounts (id, kind, handle, name) VALUES (1, 'person', 'kim', 'Kim')"))
        run(text("INSERT INTO accounts (id, kind, handle, name, access) VALUES (2, 'group', 'sales', 'Sales', 'open')"))
        run(text("INSERT INTO topics (id, tag) VALUES (3, 'win')"))
        run(text("INSERT INTO tracks (id, phrase, shown) VALUES (4, 'gate', 'gate')"))
        yield opened


def people(session: Session, dice: random.Random, count: int = PEOPLE) -> None:
    """Followers of a person, a group, a tag and a word, each with or without a phone and a mailbox, in any state."""
    run = session.execute
    for number in range(100, 100 + count):
        given = {"id": number, "text": dice.random() < 0.5}
        run(text("INSERT INTO accounts (id, kind, handle, name) VALUES (:id, 'person', 'p' || :id, 'P')"), given)
        if dice.random() < 0.8:
            run(text(ADDRESS), given | {"channel": "sms", "address": f"+1415555{1000 + number}"})
        if dice.random() < 0.8:
            run(text(ADDRESS), given | {"channel": "email", "address": f"p{number}@demo.example"})
        for source, into in ((1, "follows (account_id,"), (2, "follows (account_id,"), (3, "topic_follows (topic_id,"),
                             (4, "trackers (track_id,")):  # fmt: skip
            if dice.random() < 0.5:
                given |= {"source": source, "text": dice.random() < 0.5}
                run(text(f"INSERT INTO {into} follower_id, by_text) VALUES (:source, :id, :text)"), given)
        for state in dice.sample(STATES, dice.choice((0, 1, 1, 2, 3))):
            run(text(state), given)


def became(session: Session, words: NewPost) -> Counter[str]:
    """Posts it, and counts what became of it by person."""
    post = posts.publish(session, words)
    session.execute(text("UPDATE fanouts SET not_before = now()"))
    while fanout := fanouts.claim(session):
        chunk = recipients.expand(session, fanout, 5, 17)
        fanouts.advance(session, fanout, chunk, done=chunk.upto == recipients.END)
        session.expire_all()
    rows = session.execute(
        text("""SELECT d.message_id, d.address_id, d.channel, a.account_id FROM messages m
                JOIN deliveries d ON d.message_id = m.id JOIN addresses a ON a.id = d.address_id
                WHERE m.post_id = :post"""),
        {"post": post.id},
    ).all()
    keys = [(row.message_id, row.address_id) for row in rows]
    refused, _, limits = delivery_decisions.find(session, keys)
    full = {row[0] for row in session.execute(text("SELECT subject FROM budgets WHERE scope = 'reader'"))}
    over = {key for key, limit in limits.items() if limit.over and str(limit.reader_id) in full}
    found: Counter[str] = Counter()
    for row in rows:
        why = refused.get((row.message_id, row.address_id))
        if isinstance(why, Drop):
            found["nowhere"] += 1
        elif (isinstance(why, Hold) and why.reason in FOR_DIGEST) or (why is None and row[:2] in over):
            found["digest"] += 1
        else:
            found["later" if why else "now"] += 1
            found["phones"] += row.channel == "sms"
    return found


def plan(session: Session, words: NewPost) -> PlannedPost:
    group = words.group.id if words.group else None
    mentioned = posts.mentioned_in(session, words)
    return PlannedPost(1, words.visibility, posts.sources(session, words), group, None, (), mentioned)


def counted(found: PostPreview) -> dict[str, int]:
    return {"now": found.now, "later": found.later, "digest": found.digest, "phones": sum(found.phones.values())}


@pytest.mark.parametrize("seed", range(6))
def test_it_is_what_then_happens(session: Session, seed: int) -> None:
    dice = random.Random(seed)
    people(session, dice)
    kim, sales = session.get_one(Account, 1), session.get_one(Account, 2)
    words = NewPost(kim, WORDS, "group", "sms", sales) if seed % 2 else NewPost(kim, WORDS, "company", "sms")
    before = preview(session, plan(session, words))
    happened = became(session, words)
    assert before.exact
    assert all(happened[each] for each in ("now", "later", "phones"))
    assert counted(before) == {each: happened[each] for each in ("now", "later", "digest", "phones")}
    assert before.nowhere >= happened["nowhere"]  # also those for whom there is no address at all


def test_nobody_is_changed_by_it(session: Session) -> None:
    people(session, random.Random(1), 10)
    kim = session.get_one(Account, 1)
    before = [session.scalar(text(f"SELECT count(*) FROM {each}")) for each in ("deliveries", "held", "messages")]
    preview(session, plan(session, NewPost(kim, WORDS, "company", "sms")))
    assert [
        session.scalar(text(f"SELECT count(*) FROM {each}")) for each in ("deliveries", "held", "messages")
    ] == before


def test_a_sample_stands_for_all(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 6,000 followers a third asks for texts; a quarter sleeps, and a tenth wants a digest."""
    run = session.execute
    run(
        text("INSERT INTO accounts (kind, handle, name) SELECT 'person', 'q' || n, 'Q' FROM generate_series(1, 6000) n")
    )
    run(
        text("""INSERT INTO addresses (account_id, is_primary, channel, address, quiet, quiet_since)
                SELECT id, true, CASE WHEN substr(handle, 2)::int % 3 = 0 THEN 'sms' ELSE 'email' END,
                       CASE WHEN substr(handle, 2)::int % 3 = 0 THEN '+1415' || 5560000 + substr(handle, 2)::int
                            ELSE handle || '@demo.example' END,
                       CASE WHEN substr(handle, 2)::int % 4 = 0 THEN 'mo,tu,we,th,fr,sa,su 00:00-23:59' END, now()
                FROM accounts WHERE handle ~ '^q'""")
    )
    run(text("INSERT INTO attention (account_id, digest_every) SELECT id, 'day' FROM accounts WHERE handle ~ '^q.*7$'"))
    run(
        text("""INSERT INTO follows (follower_id, account_id, by_text, way)
                SELECT id, 1, substr(handle, 2)::int % 3 = 0, CASE WHEN handle ~ '7$' THEN 'digest' END
                FROM accounts WHERE handle ~ '^q'""")
    )
    words = PlannedPost(1, "company", [1])
    about = preview(session, words)
    monkeypatch.setattr(post_preview, "SAMPLE", 10_000)
    exactly = preview(session, words)
    assert (about.exact, exactly.exact) == (False, True)
    assert exactly.later == 1500
    assert exactly.digest == 600
    for one, other in zip(counted(about).values(), counted(exactly).values(), strict=True):
        assert abs(one - other) < 0.08 * 6000
    assert abs(sum(counted(about).values()) - about.phones["US"] - 6000) < 1


def test_few_phones_are_counted_exactly_among_many_mailboxes(session: Session) -> None:
    """A question about money is not answered by a sample where that can be helped."""
    run = session.execute
    run(
        text("INSERT INTO accounts (kind, handle, name) SELECT 'person', 'q' || n, 'Q' FROM generate_series(1, 3000) n")
    )
    run(
        text("""INSERT INTO addresses (account_id, is_primary, channel, address)
                SELECT id, true, CASE WHEN substr(handle, 2)::int <= 51 THEN 'sms' ELSE 'email' END,
                       CASE WHEN substr(handle, 2)::int <= 51 THEN '+1415' || 5560000 + substr(handle, 2)::int
                            ELSE handle || '@demo.example' END
                FROM accounts WHERE handle ~ '^q'""")
    )
    run(
        text("""INSERT INTO follows (follower_id, account_id, by_text)
                SELECT id, 1, substr(handle, 2)::int <= 51 FROM accounts WHERE handle ~ '^q'""")
    )
    found = preview(session, PlannedPost(1, "company", [1]))
    assert (found.exact, found.phones_exact) == (False, True)
    assert found.phones == {"US": 51}
    assert found.now == pytest.approx(3000)
