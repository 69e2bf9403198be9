"""digest: 100,000 people with quiet hours, for each of whom ten updates wait, wake up at the same moment: two processes
make their digests, until the last one is committed. The limit is 60 s. Beside it: what composing one digest costs.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from sqlalchemy import text

from bench.company import Company, company
from bench.result import Result
from gateway.ledger.outbox import held
from gateway.network.digests import digest_words, wake_up
from gateway.security.signed_tokens import Signer
from gateway.store.database import connect, transaction
from workers.wake_up import PEOPLE

COUNT, EACH, WORKERS = 100_000, 10, 2
LIMIT: Final = 60.0  # seconds
COMPOSED = 1_000  # digests, in batches of a claim
BATCH: Final = 100
EACH_COMPOSED: Final = 2.3  # milliseconds for ten items: 200 µs to gather and check each, 300 µs to render

_IDS: Final = text(f"SELECT message_id FROM digests ORDER BY message_id LIMIT {COMPOSED}")

WAITING = """
    WITH writers AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 'w' || n, 'Writer ' || n FROM generate_series(1, CAST(:each AS int)) n RETURNING id
    ), readers AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 'r' || n, 'Reader ' || n FROM generate_series(1, CAST(:count AS int)) n RETURNING id
    ), mailboxes AS (
        INSERT INTO addresses (account_id, channel, address, is_primary, quiet, quiet_since)
        SELECT id, 'email', id || '@demo.example', true,
               'mo,tu,we,th,fr,sa,su '
                   || to_char(now() AT TIME ZONE 'UTC' + interval '3 hours', 'HH24:00-HH24:30'), now()
        FROM readers RETURNING id, account_id
    ), follow AS (
        INSERT INTO follows (follower_id, account_id) SELECT r.id, w.id FROM readers r, writers w
    ), written AS (
        INSERT INTO posts (author_id, visibility, text, via)
        SELECT id, 'company', 'starting the ACME proposal, with all that belongs to it', 'sms' FROM writers
        RETURNING id, author_id, text
    ), message AS (
        INSERT INTO messages (kind, author_id, post_id, text, subject, body)
        SELECT 'update', author_id, id, 'Kim Lee: ' || text, text, text FROM written RETURNING id, author_id
    ), waits AS (
        INSERT INTO held (message_id, account_id, address_id, author_id, source_id, cause, reason, until)
        SELECT m.id, a.account_id, a.id, m.author_id, m.author_id, 6, 'quiet', now() FROM message m, mailboxes a
    )
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, state, give_up_at,
                            ended_at)
    SELECT m.id, a.id, m.author_id, m.author_id, 'email', 5, 'held', now() + interval '2 days', now()
    FROM message m, mailboxes a
"""


def measure() -> list[Result]:
    with company() as place:
        place.run(WAITING, count=COUNT, each=EACH)
        place.analyze()
        took = _wake_all(place.settings.database_url)
        made = place.scalar("SELECT count(*) FROM digests")
        assert made == COUNT, made
        composed = _compose(place)
    short = f"{COUNT * EACH / took:,.0f} items a second."
    return [
        Result(
            f"digests of {EACH} for {COUNT:,} people, two processes", took, "s", "limit", LIMIT, 1, short, lower=True
        ),
        Result(f"compose a digest of {EACH}", composed, "ms", "limit", EACH_COMPOSED, 1, lower=True),
    ]


def _wake_all(url: str) -> float:
    started = time.perf_counter()
    with ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(work, [url] * WORKERS))
    return time.perf_counter() - started


def work(url: str) -> None:
    """As workers/wake_up does it, until nothing is due. Whoever the other process has in hand is left to it."""
    engine = connect(url, by_key=True)
    idle = 0
    while idle < 20:
        with transaction(engine) as session:
            items = held.due(session, PEOPLE)
            if items:
                wake_up.wake_up(session, items)
        idle = 0 if items else idle + 1
        time.sleep(0.05 if idle else 0)
    engine.dispose()


def _compose(place: Company) -> float:
    """Milliseconds for each digest, in batches as a claim has them; nothing is kept."""
    signer = Signer(("a secret of this measurement",))
    with transaction(place.engine) as session:
        ids = list(session.scalars(_IDS))
        started = time.perf_counter()
        for start in range(0, COMPOSED, BATCH):
            assert len(digest_words.compose(session, ids[start : start + BATCH], signer, "mail.example")) == BATCH
        took = time.perf_counter() - started
        session.rollback()
    return 1000 * took / COMPOSED
