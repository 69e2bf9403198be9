"""preview: what a post to 100,000 followers would do, of whom 60,000 asked for texts, a tenth has quiet hours now, a
tenth wants digests and a tenth has a limit of texts, and who follow four others as well: processor time of PostgreSQL
for all statements, the mean of many. The limit is 50 ms.
"""

from __future__ import annotations

import statistics
import time
from typing import Final

from sqlalchemy.orm import Session

from bench.company import Company, company
from bench.processor_time import since, spent
from bench.result import Result
from gateway.attention.planned_post import PlannedPost
from gateway.network.audience.post_preview import PostPreview, preview
from gateway.store.database import connect

COUNT = 100_000
ROUNDS: Final = 40
LIMIT: Final = 50.0  # milliseconds

FOLLOWERS: Final = """
    WITH author AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', handle, handle FROM unnest(ARRAY['kim', 'bob', 'eve', 'joe', 'lea']) handle RETURNING id
    ), people AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 'p' || n, 'Person ' || n FROM generate_series(1, CAST(:count AS int)) n
        RETURNING id, substr(handle, 2)::int AS n
    ), reached AS (
        INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at, quiet, quiet_since)
        SELECT id, CASE WHEN n % 5 < 3 THEN 'sms' ELSE 'email' END,
               CASE WHEN n % 5 < 3 THEN '+1415' || 5000000 + n ELSE 'p' || n || '@corp.example' END, true, now(),
               CASE WHEN n % 10 = 3 THEN 'mo,tu,we,th,fr,sa,su 00:00-23:59' END, now()
        FROM people
    ), settings AS (
        INSERT INTO attention (account_id, digest_every, texts_a_day)
        SELECT id, CASE WHEN n % 10 = 7 THEN 'day' END, CASE WHEN n % 10 = 5 THEN 20 END
        FROM people WHERE n % 10 IN (5, 7)
    )
    INSERT INTO follows (follower_id, account_id, by_text, way)
    SELECT people.id, author.id, n % 5 < 3, CASE WHEN n % 10 = 7 THEN 'digest' END FROM people, author
"""


def measure() -> list[Result]:
    with company() as place:
        place.run(FOLLOWERS, count=COUNT)
        _vacuum(place)
        took, waited, found = _rounds(place)
    people = f"about {found.now:,.0f} now, {found.later:,.0f} later, {found.digest:,.0f} in digests"
    short = f"{waited:.0f} ms at the client, with Python; {people}."
    what = f"preview of a post to {COUNT:,}, processor time of PostgreSQL"
    return [Result(what, took, "ms", "limit", LIMIT, 1, short, lower=True)]


def _vacuum(place: Company) -> None:
    """As autovacuum does it after so many rows."""
    owner = connect(place.settings.database_owner_url)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE)")
    owner.dispose()


def _rounds(place: Company) -> tuple[float, float, PostPreview]:
    """Milliseconds of PostgreSQL's processor time, and of waiting for all of it; and what was found."""
    author = place.scalar("SELECT id FROM accounts WHERE handle = 'kim'")
    plan = PlannedPost(author, "company", [author])
    engine = connect(place.settings.database_url, by_key=True)  # as the workers' that read what people write
    with Session(engine) as session:
        preview(session, plan)  # warms up
        before, waited = spent(place), []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            found = preview(session, plan)
            waited.append(1000 * (time.perf_counter() - start))
        servers = since(before, spent(place)).get("postgresql", 0.0)
    engine.dispose()
    return 1000 * servers / ROUNDS, statistics.median(waited), found


if __name__ == "__main__":
    for result in measure():
        print(result.row(), result.short)
