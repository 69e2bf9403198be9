"""P11: the Home page of somebody who follows 500 people, with 1 million and with 10 million updates of 5,000 people, in
the web application without a socket; each visit is another page of it.
"""

from __future__ import annotations

import statistics
import time
from typing import Final

from sqlalchemy import text

from bench.company import Company, company
from bench.processor_time import since, spent
from bench.result import Result
from critter.processes.app import build, create_app
from gateway.network.web import web_sessions
from gateway.store.database import connect, transaction
from gateway.store.tables import Account

PEOPLE, FOLLOWS = 5_000, 500
SIZES: Final = (1_000_000, 10_000_000)
CHUNK: Final = 250_000
VISITS, WARM = 300, 20
MOST: Final = 20.0  # milliseconds, the ninety-ninth of a hundred
PEOPLE_MADE: Final = """
    INSERT INTO accounts (kind, handle, name)
    SELECT 'person', 'p' || n, 'Person ' || n FROM generate_series(1, CAST(:people AS int)) n
"""
FOLLOWS_MADE: Final = """
    INSERT INTO follows (follower_id, account_id, role, state)
    SELECT (SELECT min(id) FROM accounts), id, 'follower', 'active' FROM accounts
    WHERE id <> (SELECT min(id) FROM accounts) ORDER BY id LIMIT :follows
"""
# Their ids are those of a year, as if they had been written evenly in it.
WRITE: Final = """
    WITH author AS (SELECT array_agg(id ORDER BY id) AS ids FROM accounts)
    INSERT INTO posts (id, author_id, visibility, text, via, created_at)
    SELECT id_at(at) + n % 65536, (SELECT ids FROM author)[1 + (n::bigint * 7919) % CAST(:people AS int)],
           'company', 'update ' || n || ' about the harbor and the lunch', 'sms', at
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n,
         LATERAL (SELECT now() - interval '365 days' * (1 - n::float / CAST(:size AS int)) AS at) AS moment
    ON CONFLICT DO NOTHING
"""


def measure() -> list[Result]:
    return [_measure(size) for size in SIZES]


def _measure(size: int) -> Result:
    with company() as place:
        place.run(PEOPLE_MADE, people=PEOPLE)
        place.run(FOLLOWS_MADE, follows=FOLLOWS)
        _without_search(place)
        for first in range(1, size, CHUNK):
            place.run(WRITE, first=first, last=first + CHUNK - 1, size=size, people=PEOPLE)
        place.analyze()
        before, began = spent(place), time.process_time()
        took = _visit(place)
        processor = 1000 * (time.process_time() - began + since(before, spent(place)).get("postgresql", 0.0))
    short = f"p50 {statistics.median(took):.1f} ms; {processor / (VISITS + WARM):.1f} ms of processor time a visit."
    p99 = statistics.quantiles(took, n=100)[98]
    return Result(f"P11 Home, 500 follows, {size:,} updates, p99", p99, "ms", "limit", MOST, 1, short, lower=True)


def _without_search(place: Company) -> None:
    """Making them searchable takes most of the time, and Home does not ask for it."""
    owner = connect(place.settings.database_owner_url)
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE posts DISABLE TRIGGER index_post"))
    owner.dispose()


def _visit(place: Company) -> list[float]:
    parts = build(place.settings)
    try:
        browser = create_app(place.settings, parts).test_client()
        with transaction(parts.engine) as session:
            reader = session.get_one(Account, place.scalar("SELECT min(id) FROM accounts"))
            browser.set_cookie("critter", web_sessions.begin(session, reader, "code"))
        oldest, newest = place.scalar("SELECT id_at(now() - interval '200 days')"), place.scalar("SELECT id_at(now())")
        took = []
        for number in range(-WARM, VISITS):
            before = "" if number % 2 else f"?before={oldest + (newest - oldest) * abs(number) // VISITS}"
            start = time.perf_counter()
            answer = browser.get(f"/{before}")
            if number >= 0:
                took.append(1000 * (time.perf_counter() - start))
            assert answer.status_code == 200, answer.status
        return took
    finally:
        parts.close()


if __name__ == "__main__":
    for result in measure():
        print(result.row(), result.short, flush=True)
