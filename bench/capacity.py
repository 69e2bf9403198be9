"""How much one PostgreSQL can do: deliveries are made, claimed and settled as the workers do it, without a carrier.

    python -m bench.capacity [COUNT]

It prints deliveries a second, what each costs in log and on disk, and how many that is in a day. docs/scaling.md quotes
it.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import Engine

from bench.company import company
from gateway.ledger.outbox import claims, settlements
from gateway.ledger.outbox.settlements import Settlement
from gateway.network.audience import delivery_decisions
from gateway.store.database import connect, transaction

COUNT = 100_000
WORKERS = 2
BATCH = 500
DAY = 86_400
KIB = 1024

PEOPLE = """
    WITH people AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 'p' || n, 'Person ' || n FROM generate_series(1, CAST(:count AS int)) n RETURNING id, handle
    )
    INSERT INTO addresses (account_id, channel, address, is_primary)
    SELECT id, 'email', handle || '@corp.example', true FROM people
"""
MESSAGE = "INSERT INTO messages (kind, text, subject, body) VALUES ('notice', 'hello', 'hello', 'hello')"
DELIVERIES = """
    INSERT INTO deliveries (message_id, address_id, channel, priority, give_up_at)
    SELECT m.id, a.id, 'email', 5, now() + interval '2 days' FROM messages m, addresses a
"""
LOG = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
DISK = """
    SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
    WHERE c.relkind = 'r' AND (c.relname LIKE 'deliveries%' OR c.relname = 'attempts')
"""


def main(count: int) -> None:
    with company() as place:
        place.run(PEOPLE, count=count)
        place.run(MESSAGE)
        place.analyze()
        log, disk = place.scalar(LOG), place.scalar(DISK)
        started = time.perf_counter()
        place.run(DELIVERIES)
        made = time.perf_counter() - started
        with ThreadPoolExecutor(WORKERS) as workers:
            done = sum(workers.map(work, [place.settings.database_url] * WORKERS))
        took = time.perf_counter() - started
        assert done == count, (done, count)
        written, kept = float(place.scalar(LOG) - log) / count, float(place.scalar(DISK) - disk) / count
    print(f"{count:,} deliveries made in {made:.1f} s, made and settled in {took:.1f} s: {count / took:,.0f} a second")
    print(f"each: {written:,.0f} bytes of log, {kept:,.0f} bytes on disk")
    print(f"a day at that rate: {count / took * DAY / 1e6:,.0f} million deliveries")
    print(f"a day of one million: {written * 1e6 / KIB**3:.1f} GiB of log, {kept * 1e6 / KIB**3:.1f} GiB kept")


def work(url: str) -> int:
    """Claims, decides and settles until nothing is due; returns how many."""
    engine: Engine = connect(url, by_key=True)
    done = 0
    while True:
        with transaction(engine) as session:
            rows = claims.claim(session, "email", "capacity", timedelta(minutes=1), BATCH)
            if not rows:
                break
            delivery_decisions.find(session, [row.key for row in rows])
        with transaction(engine) as session:
            settlements.settle(session, [Settlement(row, "sent", segments=None) for row in rows])
        done += len(rows)
    engine.dispose()
    return done


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
