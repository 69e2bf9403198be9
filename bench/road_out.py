"""P4, P5, P6: one text in, 10,000 personalised mails out: from the text's acceptance to the last 250 of a sink that
keeps nothing, over the workers' real processes with everything on, against a Postfix that expands an alias to the same
kind of sink, one recipient per delivery; a Mailman 3 with VERP; and smtp-source, which only repeats one mail to
smtp-sink.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from bench import mailman, postfix, smtp_source
from bench.company import KIM, Company, company
from bench.mailman import Mailman
from bench.postfix_list import PostfixList
from bench.result import Result
from bench.stub import Stub
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.inbox.writer import Intake
from gateway.queue.worker_notifier import WorkerNotifier

FOLLOWERS = 10_000
ROUNDS = 3
PATIENCE = 60.0
NUMBERS = count(1)
SHORT = (
    "the mail worker's Python and PostgreSQL take about the same time for each mail, the sink a quarter of that;"
    " docs/decisions/0027 has the parts. On a busy machine a peer of many processes gets more of the cores."
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

    def __init__(self, place: Company, sink: Stub, intake: Intake, followers: int) -> None:
        self.place, self.sink, self._intake, self._followers = place, sink, intake, followers

    def run(self) -> float:
        """Mails a second, after a check that every one arrived under a Message-ID of its own and the tables agree."""
        before = self.sink.count()
        started = time.monotonic()
        self.submit()
        after = wait(self.sink, before + self._followers)
        self.check()
        return self._followers / (float(after["last"]) - started)

    def submit(self) -> None:
        """One text of hers, committed."""
        self._intake.submit(_text(self.place)).result(PATIENCE)

    def check(self) -> None:
        """Checks that every mail was sent once, and that the tables say the same."""
        self.place.wait(lambda: self.place.settled("email"))
        seen = self.sink.report()
        sent = self.place.scalar("SELECT count(*) FROM deliveries WHERE channel = 'email' AND state = 'sent'")
        assert seen["count"] == seen["distinct"] == sent, (seen, sent)


def _text(place: Company) -> Incoming:
    number = next(NUMBERS)
    words = f"starting the ACME proposal, part {number}: who has the figures of last year's offer to the same people?"
    sid = f"SM{number:032x}"
    return Incoming("sms", sid.encode(), KIM, place.settings.sms_numbers[:1], b"", True, sid, words)


def wait(sink: Stub, wanted: int, patience: float = PATIENCE) -> dict[str, float]:
    end = time.monotonic() + patience
    while (seen := sink.report())["count"] < wanted:
        if time.monotonic() > end:
            raise RuntimeError(f"{wanted - seen['count']} mails are missing")
        time.sleep(0.02)
    return seen


@contextmanager
def road(followers: int = FOLLOWERS, workers: int = 1) -> Iterator[Road]:
    """Starts the company. `workers`: how many processes send mails."""
    with Stub("letters") as sink:
        relay = f"smtp://127.0.0.1:{sink.port}"
        processes = ("worker inbound", "worker fanout", "clock", *["worker email"] * workers)
        with company(*processes, CRITTER_SMTP_RELAY=relay) as place:
            place.run(CROWD, kim=KIM, count=followers)
            place.analyze()
            notifier = WorkerNotifier(place.settings.redis_url)
            intake = Intake(place.engine, lambda: notifier.notify("inbound"))
            yield Road(place, sink, intake, followers)
            intake.close()
            notifier.close()


def measure() -> list[Result]:
    """The rounds alternate, so that other load hits all of them; the median of the rounds counts."""
    if problem := postfix.missing() or smtp_source.missing():
        print(f"P4 mail out: {problem}")
        return []
    with road() as ours, Stub("letters") as sink, PostfixList(sink.port, FOLLOWERS) as peer, smtp_source.sink() as bare:
        rounds = [(ours.run(), _expanded(peer, sink), smtp_source.rate(bare, FOLLOWERS)) for _ in range(ROUNDS + 1)][1:]
    mine, theirs, source = (statistics.median(column) for column in zip(*rounds, strict=True))
    what = f"mail out, 1 to {FOLLOWERS:,}"
    return [
        Result(f"P4 {what}", mine, "mails/s", "Postfix, one recipient per delivery", theirs, 8, SHORT),
        *_beside_mailman(f"P5 {what}", mine),
        Result(f"P6 {what}", mine, "mails/s", "smtp-source, 20 sessions", source, 0.6, SHORT),
    ]


def _beside_mailman(what: str, mine: float) -> list[Result]:
    """Mailman's rounds come after ours, because making its list takes a while; they are timed from its first mail on,
    in its favour."""
    if problem := mailman.missing():
        print(f"P5 mail out: {problem}")
        return []
    with Stub("letters") as sink, Mailman(sink.port) as peer:
        theirs = statistics.median(_trickled(peer, sink) for _ in range(ROUNDS))
    return [Result(what, mine, "mails/s", "Mailman 3, VERP on every delivery", theirs, 50)]


def _trickled(peer: Mailman, sink: Stub) -> float:
    before = sink.count()
    peer.submit()
    first = wait(sink, before + 1)
    last = wait(sink, before + mailman.MEMBERS, mailman.PATIENCE)
    return float(last["count"] - first["count"]) / float(last["last"] - first["last"])


def _expanded(peer: PostfixList, sink: Stub) -> float:
    before = sink.count()
    started = time.monotonic()
    peer.submit()
    return FOLLOWERS / (wait(sink, before + FOLLOWERS)["last"] - started)


if __name__ == "__main__":
    for result in measure():
        print(result.row())
