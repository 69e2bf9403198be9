"""Workers killed at random while an urgent call runs: people are told, reminded and answer, and a call ends. Nobody is
forgotten, no step is taken twice, and its asker hears of its end once."""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from gateway.network.verification import pins
from gateway.store.database import transaction
from tests.support.arrivals import Key, compare, received
from tests.support.memory_folder import new_folder
from tests.support.running_critter import Company, company

PEOPLE: Final = 60  # each with a phone; every second one has another phone, two of three a mailbox
ANSWER: Final = 3  # one of so many says OK while the workers are killed
KILLS: Final = 14
DANA, PIN = "+14155550199", "4826"
VICTIMS: Final = ("worker-sms", "worker-email", "worker-fanout", "worker-inbound", "clock")
SEED: Final = int(os.environ.get("CRITTER_SEED", "0")) or random.randrange(2**32)

CROWD = """
WITH dana AS (
    INSERT INTO accounts (kind, handle, name) VALUES ('person', 'calling', 'Calling Dana') RETURNING id
), phone AS (
    INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
    SELECT id, 'sms', :dana, true, now() FROM dana
), place AS (
    INSERT INTO accounts (kind, handle, name, access, may_urge)
    VALUES ('group', 'drivers', 'drivers', 'broadcast', true) RETURNING id
), people AS (
    INSERT INTO accounts (kind, handle, name)
    SELECT 'person', 'd' || n, 'Driver ' || n FROM generate_series(1, :count) n RETURNING id, handle
), numbered AS (
    SELECT id, handle, CAST(substr(handle, 2) AS int) AS n FROM people
), reached AS (
    INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
    SELECT id, 'sms', '+1415556' || lpad(n::text, 4, '0'), true, now() FROM numbered
    UNION ALL SELECT id, 'sms', '+1415557' || lpad(n::text, 4, '0'), false, now() FROM numbered WHERE n % 2 = 0
    UNION ALL SELECT id, 'email', handle || '@demo.example', true, now() FROM numbered WHERE n % 3 > 0
)
INSERT INTO follows (follower_id, account_id, role, by_text)
SELECT dana.id, place.id, 'owner', true FROM dana, place
UNION ALL SELECT people.id, place.id, 'follower', true FROM people, place
"""
# Its steps and its end come within seconds, a little apart for each person.
HURRY = (
    """UPDATE calls SET step_after = '3 seconds', next_at = now() + interval '6 seconds',
           ends_at = now() + interval '16 seconds'""",
    "UPDATE call_people SET next_at = now() + interval '1 second' * (1 + 3 * random()) WHERE next_at IS NOT NULL",
)
TOLD = """
    SELECT p.account_id, m.id AS message_id, d.address_id, a.channel, a.is_primary, p.answered_at, p.step,
           d.state <> 'cancelled' AND d.created_at > p.answered_at + interval '2 seconds' AS late, d.created_at
    FROM calls c JOIN call_people p ON p.post_id = c.post_id
    JOIN messages m ON m.post_id = c.post_id AND m.kind = 'update' JOIN deliveries d ON d.message_id = m.id
    JOIN addresses a ON a.id = d.address_id AND a.account_id = p.account_id
"""
REACHED = """
    SELECT a.address FROM calls c JOIN messages m ON m.post_id = c.post_id AND m.kind = 'update'
    JOIN deliveries d ON d.message_id = m.id AND d.state IN ('sent', 'delivered')
    JOIN addresses a ON a.id = d.address_id AND a.channel = 'sms' AND a.is_primary
    WHERE CAST(right(a.address, 4) AS int) % :answer = 0
"""
SAID_TO_DANA = """
    SELECT m.text FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN addresses a ON a.id = d.address_id
    WHERE a.address = :dana AND m.kind = 'notice'
"""


@pytest.fixture(scope="module")
def critter(memory: Path) -> Iterator[Company]:
    settings = {"CRITTER_LEASE_SECONDS": "3", "CRITTER_SMS_RATE": "60"}
    with company(new_folder(memory), **settings) as running:
        running.run(CROWD, dana=DANA, count=PEOPLE)
        with transaction(running.engine) as session:
            dana = session.scalar(text("SELECT id FROM accounts WHERE handle = 'calling'"))
            pins.set_pin(session, int(dana or 0), PIN, always=False)
        yield running


@pytest.mark.timeout(300)
def test_killed_while_a_call_runs(critter: Company) -> None:
    print(f"CRITTER_SEED={SEED}")
    dice = random.Random(SEED)
    _call(critter)
    for statement in HURRY:
        critter.run(statement)
    hits, answered = _kill_and_answer(critter, dice)
    critter.wait(lambda: bool(critter.scalar("SELECT ended_at IS NOT NULL FROM calls")), "the call has ended", 60)
    critter.wait(critter.settled, "everything settled")
    print(f"{sum(hits.values())} kills hit: {dict(hits)}")
    assert len(hits) >= 3
    assert len(answered) > PEOPLE // ANSWER / 2
    _prove(critter, answered)


def _call(critter: Company) -> None:
    critter.text(DANA, "urgent #drivers gate 4 is closed, use gate 2")
    critter.wait(
        lambda: bool(critter.scalar("SELECT EXISTS (SELECT FROM conversations WHERE question IS NOT NULL)")), "asked"
    )
    critter.text(DANA, PIN)
    critter.wait(lambda: bool(critter.scalar("SELECT EXISTS (SELECT FROM calls)")), "the call has begun")


def _kill_and_answer(critter: Company, dice: random.Random) -> tuple[Counter[str], set[str]]:
    """Kills and answers in turn, over all of the call. Returns who was hit, and the phones that said OK."""
    hits: Counter[str] = Counter()
    answered: set[str] = set()
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.4, 1.1))
        victim = dice.choice(VICTIMS)
        hits[victim] += critter.kill(victim)
        for phone in sorted(_told(critter) - answered)[:2]:
            critter.text(phone, "ok")
            answered.add(phone)
    return +hits, answered


def _told(critter: Company) -> set[str]:
    """The phones of those who answer, as far as the call has reached them."""
    with critter.engine.connect() as connection:
        return set(connection.scalars(text(REACHED), {"answer": ANSWER}))


def _prove(critter: Company, answered: set[str]) -> None:
    compare(critter)
    with critter.engine.connect() as connection:
        rows = connection.execute(text(TOLD)).all()
        ending = connection.scalar(text("SELECT ending FROM calls"))
        said = list(connection.scalars(text(SAID_TO_DANA), {"dana": DANA}))
    arrived: set[Key] = set(received(critter))
    told = {row.account_id for row in rows if (row.message_id, row.address_id) in arrived}
    assert len(told) == PEOPLE, "somebody was forgotten"
    assert ending == "time"
    # An answer that meets a step calls back what that made.
    assert not [row for row in rows if row.late], "a step was taken with somebody who had answered"
    silent = {row.account_id for row in rows if row.answered_at is None}
    assert len(silent) == PEOPLE - len(answered), _inputs(critter)
    assert all(row.step == 3 for row in rows if row.account_id in silent)
    _each_step_once(critter, silent)
    assert len([words for words in said if " is over after " in words]) == 1, said
    assert len([words for words in said if "OK so far" in words]) <= 1, said
    audit = critter.command("audit", "--settled", "0")
    assert audit.returncode == 0, audit.stdout


def _inputs(critter: Company) -> list[tuple[object, ...]]:
    """What became of each OK, for whoever reads that one was lost."""
    with critter.engine.connect() as connection:
        query = "SELECT sender, state, intent, reason, attempt FROM inbound WHERE intent <> 'acknowledge' ORDER BY id"
        return [tuple(row) for row in connection.execute(text(query))]


def _each_step_once(critter: Company, silent: set[int]) -> None:
    """Whoever never answered was told at each of their addresses, once."""
    with critter.engine.connect() as connection:
        rows = connection.execute(text(TOLD)).all()
        places = connection.execute(
            text("SELECT id FROM addresses WHERE account_id = ANY (:who)"), {"who": list(silent)}
        )
        expected = {row.id for row in places}
    copies = Counter(row.address_id for row in rows if row.account_id in silent)
    assert copies.keys() == expected
    assert set(copies.values()) == {1}
