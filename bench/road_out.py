"""P4: one text in, 10,000 personalised mails out: from the text's acceptance to the last 250 of a sink that keeps
nothing, over the workers' real processes with everything on, against a Postfix that expands an alias to the same sink,
one recipient per delivery.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from bench import postfix
from bench.company import KIM, Company, company
from bench.postfix_list import PostfixList
from bench.result import Result
from bench.stub import Stub
from gateway.bell import Bell
from gateway.ledger.inbox import Incoming
from gateway.ledger.intake import Intake

FOLLOWERS = 10_000
ROUNDS = 3
PATIENCE = 60.0
NUMBERS = count(1)
SHORT = (
    "both cores are busy: about 90 µs of the mail worker's Python (claim, three signatures, SMTP, settling), 65 µs of"
    " PostgreSQL and 25 µs of the sink for each mail; docs/decisions/0016 has the parts."
)

CROWD = """
    WITH kim AS (
        INSERT INTO accounts (kind, handle, name) VALUES ('person', 'kim', 'Kim Lee') RETURNING id
    ), phone AS (
        INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
        SELECT id, 'sms', :kim, true, now() FROM kim
    ), people AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 'p' || n, 'Person ' || n FROM generate_series(1, CAST(:count AS int)) n RETURNING id, handle
    ), boxes AS (
        INSERT INTO addresses (account_id, channel, address, is_primary)
        SELECT id, 'email', handle || '@corp.example', true FROM people
    )
    INSERT INTO follows (follower_id, account_id) SELECT people.id, kim.id FROM people, kim
"""


class Road:
    """Kim and her followers; a run is one text of hers."""

    def __init__(self, place: Company, sink: Stub, intake: Intake) -> None:
        self._place, self._sink, self._intake = place, sink, intake

    def run(self) -> float:
        """Mails a second. Every one arrives, under a Message-ID of its own, and the books agree."""
        before = self._sink.report()
        started = time.monotonic()
        self._intake.submit(_text(self._place)).result(PATIENCE)
        after = wait(self._sink, before["count"] + FOLLOWERS)
        self._place.wait(lambda: self._place.settled("email"))
        sent = self._place.scalar("SELECT count(*) FROM deliveries WHERE channel = 'email' AND state = 'sent'")
        assert after["count"] == after["distinct"] == sent, (after, sent)
        return FOLLOWERS / (float(after["last"]) - started)


def _text(place: Company) -> Incoming:
    number = next(NUMBERS)
    words = f"starting the ACME proposal, part {number}: who has the figures of last year's offer to the same people?"
    sid = f"SM{number:032x}"
    return Incoming("sms", sid.encode(), KIM, place.settings.sms_numbers[:1], b"", True, sid, words)


def wait(sink: Stub, wanted: int) -> dict[str, float]:
    end = time.monotonic() + PATIENCE
    while (seen := sink.report())["count"] < wanted:
        if time.monotonic() > end:
            raise RuntimeError(f"{wanted - seen['count']} mails are missing")
        time.sleep(0.02)
    return seen


@contextmanager
def road() -> Iterator[Road]:
    with Stub("letters") as sink:
        relay = f"smtp://127.0.0.1:{sink.port}"
        processes = ("worker inbound", "worker fanout", "worker email")
        with company(*processes, CRITTER_SMTP_RELAY=relay) as place:
            place.run(CROWD, kim=KIM, count=FOLLOWERS)
            place.run("ANALYZE")
            bell = Bell(place.settings.redis_url)
            intake = Intake(place.engine, lambda: bell.ring("inbound"))
            yield Road(place, sink, intake)
            intake.close()
            bell.close()


def measure() -> list[Result]:
    """Rounds take turns, so that a noisy moment hits both; the middle of the rounds counts."""
    if problem := postfix.missing():
        print(f"P4 mail out: {problem}")
        return []
    with road() as ours, Stub("letters") as sink, PostfixList(sink.port, FOLLOWERS) as peer:
        rounds = [(ours.run(), _expanded(peer, sink)) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
    mine, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    return [
        Result("P4 mail out, 1 to 10,000", mine, "mails/s", "Postfix, one recipient per delivery", theirs, 8, SHORT)
    ]


def _expanded(peer: PostfixList, sink: Stub) -> float:
    before = sink.count()
    started = time.monotonic()
    peer.submit()
    return FOLLOWERS / (wait(sink, before + FOLLOWERS)["last"] - started)


if __name__ == "__main__":
    for result in measure():
        print(result.row())
