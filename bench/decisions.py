"""decide: whether deliveries of an update to 20,000 followers may leave, in batches of 500 and one by one: the facts
and the rules in Python against the one CASE in SQL that they replaced, in turn in one process, medians at the client.
Of usual rows nothing is returned; the last line is the Python that a returned row costs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Collection, Sized
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.company import Company, company
from bench.result import Result
from gateway.attention.fact_lookup import Key
from gateway.network.audience import delivery_decisions
from gateway.store.database import connect
from tests.attention import old_refusals

COUNT, BATCH = 20_000, 500
ALONE: Final = 500  # deliveries that are decided about one by one
ROUNDS: Final = 11  # over all batches; the first one warms up
GOAL: Final = 0.95  # the rules may take at most 1.05 times as long as the old statement
PYTHON: Final = 6.0  # µs of a returned row

FOLLOWERS: Final = """
    WITH people AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 'p' || n, 'Person ' || n FROM generate_series(0, CAST(:count AS int)) n RETURNING id, handle
    ), boxes AS (
        INSERT INTO addresses (account_id, channel, address, is_primary)
        SELECT id, 'email', handle || '@corp.example', true FROM people
    )
    INSERT INTO follows (follower_id, account_id)
    SELECT id, author.author_id FROM people, (SELECT id AS author_id FROM people WHERE handle = 'p0') author
    WHERE handle <> 'p0'
"""
UPDATE: Final = """
    WITH post AS (
        INSERT INTO posts (author_id, visibility, text, via)
        SELECT id, 'company', 'hello', 'sms' FROM accounts WHERE handle = 'p0' RETURNING id, author_id
    ), message AS (
        INSERT INTO messages (kind, author_id, post_id, text, subject, body)
        SELECT 'update', author_id, id, 'hello', 'hello', 'hello' FROM post RETURNING id, author_id
    )
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, give_up_at)
    SELECT m.id, a.id, m.author_id, m.author_id, 'email', 5, now() + interval '2 days'
    FROM message m, addresses a WHERE a.account_id <> m.author_id
"""
KEYS: Final = text("SELECT message_id, address_id FROM deliveries LIMIT :most")
OFF: Final = "UPDATE addresses SET receiving = false"

Find = Callable[[Session, Collection[Key]], Sized]


def measure() -> list[Result]:
    with company() as place:
        place.run(FOLLOWERS, count=COUNT)
        place.run(UPDATE)
        place.analyze()
        rules, case, usual = _medians(place, COUNT, BATCH)
        rules_alone, case_alone, _ = _medians(place, ALONE, 1)
        place.run(OFF)
        place.analyze()
        rules_off, case_off, unusual = _medians(place, COUNT, BATCH)
    short = f"when every row is returned: {rules_off:.1f} µs, the old statement {case_off:.1f} µs."
    return [
        Result("decide, a usual delivery", rules, "µs", "one CASE in SQL", case, GOAL, short, lower=True),
        Result("decide, one by one", rules_alone, "µs", "one CASE in SQL", case_alone, GOAL, lower=True),
        Result("decide, Python for a returned row", unusual - usual, "µs", "limit", PYTHON, 1, lower=True),
    ]


def _medians(place: Company, most: int, size: int) -> tuple[float, float, float]:
    """Medians in µs a row: the rules, the old statement, and the processor time of this process for the rules."""
    engine = connect(place.settings.database_url, by_key=True)
    rules, case, python = [], [], []
    with Session(engine) as session:
        keys = [(row[0], row[1]) for row in session.execute(KEYS, {"most": most})]
        batches = [keys[start : start + size] for start in range(0, len(keys), size)]
        for turn in range(ROUNDS):
            for batch in batches:
                new, old = _timed(_new, session, batch), _timed(_old, session, batch)
                assert new[2] == old[2]
                if turn:
                    rules.append(new[0])
                    python.append(new[1])
                    case.append(old[0])
    engine.dispose()
    return statistics.median(rules), statistics.median(case), statistics.median(python)


def _new(session: Session, keys: Collection[Key]) -> Sized:
    return delivery_decisions.find(session, keys).refused


def _old(session: Session, keys: Collection[Key]) -> dict[Key, str]:
    return old_refusals.find_refusals(session, keys)


def _timed(find: Find, session: Session, batch: Collection[Key]) -> tuple[float, float, int]:
    """µs a row at the client, µs of them that this process worked, and how many are refused."""
    started, worked = time.perf_counter(), time.thread_time()
    refused = len(find(session, batch))
    each = 1e6 / len(batch)
    return (time.perf_counter() - started) * each, (time.thread_time() - worked) * each, refused


if __name__ == "__main__":
    for result in measure():
        print(result.row(), result.short)
