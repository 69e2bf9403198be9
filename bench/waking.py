"""P8 while 100,000 wake: texts of one number at a configured 100 a second, first while nobody wakes and then while the
quiet hours of 100,000 people end and their digests are made: the rates where the requests arrive.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import AbstractContextManager, ExitStack
from typing import Final

from bench.company import Company, company
from bench.digests import WAITING
from bench.result import Result
from bench.stub import Stub

COUNT, EACH = 100_000, 2
RATE: Final = 100
TEXTS: Final = 2_000  # in each round
BOUND: Final = 0.98  # of the rate while nobody wakes, at least
SHORT: Final = "of {rate} that are allowed; the most within a second was {most}; {woken:,} digests were made meanwhile."

PHONES: Final = """
    WITH author AS (
        INSERT INTO accounts (kind, handle, name)
        VALUES ('person', 'busy' || CAST(:first AS int), 'Busy') RETURNING id
    ), people AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 't' || n, 'Texted ' || n
        FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n RETURNING id, handle
    ), phones AS (
        INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
        SELECT id, 'sms', '+1415' || 5000000 + substr(handle, 2)::int, true, now() FROM people RETURNING id, account_id
    ), follow AS (
        INSERT INTO follows (follower_id, account_id, by_text) SELECT people.id, author.id, true FROM people, author
    ), posts AS (
        INSERT INTO posts (author_id, visibility, text, via)
        SELECT author.id, 'company', 'nr' || n, 'sms'
        FROM author, generate_series(CAST(:first AS int), CAST(:last AS int)) n
        RETURNING id, author_id, text
    ), messages AS (
        INSERT INTO messages (kind, author_id, post_id, text, subject, body)
        SELECT 'update', author_id, id, 'Busy: ' || text, text, text FROM posts RETURNING id, author_id
    )
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, give_up_at)
    SELECT m.id, p.id, m.author_id, m.author_id, 'sms', 5, now() + interval '4 hours'
    FROM (SELECT *, row_number() OVER () AS place FROM messages) m
    JOIN (SELECT *, row_number() OVER () AS place FROM phones) p USING (place)
"""
NOT_YET: Final = "UPDATE held SET until = now() + interval '1 day'"
NOW: Final = "UPDATE held SET until = now()"


def measure() -> list[Result]:
    with Stub("texts") as stub, _company(stub) as place:
        place.run(WAITING, count=COUNT, each=EACH)
        place.run(NOT_YET)
        place.analyze()
        alone = _rate(_round(place, stub, 1))
        place.run(NOW)
        times = _round(place, stub, 1 + TEXTS)
        woken = int(place.scalar("SELECT count(*) FROM digests"))
    short = SHORT.format(rate=RATE, most=_most_within(times, 1.0), woken=woken)
    what = "P8 texts out while 100,000 wake"
    return [Result(what, _rate(times), "texts/s", "the same while nobody wakes", alone, BOUND, short)]


def _round(place: Company, stub: Stub, first: int) -> list[float]:
    """When each text of this round came, in order. The processes start with a full queue."""
    place.run(PHONES, first=first, last=first + TEXTS - 1)
    marks = {f"nr{number}" for number in range(first, first + TEXTS)}
    with ExitStack() as held:
        for process in ("worker fanout", "worker sms", "clock"):
            held.enter_context(place.process(*process.split()))
        place.wait(lambda: marks <= stub.report()["came"].keys(), 900)
    came = stub.report()["came"]
    return sorted(came[mark] for mark in marks)


def _rate(times: list[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0])


def _most_within(times: list[float], span: float) -> int:
    """The most that came within so many seconds; `times` are in order."""
    return max(place - bisect_left(times, at - span) for place, at in enumerate(times, 1))


def _company(stub: Stub) -> AbstractContextManager[Company]:
    return company(
        TWILIO_API_BASE=f"http://127.0.0.1:{stub.port}",
        CRITTER_DAILY_SMS_BUDGET="1000000",
        CRITTER_SMS_RATE=str(RATE),
    )
