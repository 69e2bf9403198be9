"""P14: a burst. 5,000 texts stand in the inbox, and workers start: read, done, sent to one phone each, by one process a
queue. The order of each writer is kept, or it does not count.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, ExitStack

from bench.company import Company, company
from bench.latency import PAIRS, WRITERS
from bench.result import Result
from bench.stub import Stub
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.store.database import transaction

TEXTS = 5000
GOAL = 300.0  # texts a second
PROCESSES = ("worker inbound", "worker fanout", "worker sms", "clock")
SHORT = "the start of the processes counts, which takes seconds on a busy machine."


def measure() -> list[Result]:
    with Stub("texts") as stub, _company(stub) as place:
        place.run(PAIRS, count=WRITERS)
        place.analyze()
        _store(place)
        began = time.monotonic()
        with ExitStack() as held:
            for process in PROCESSES:
                held.enter_context(place.process(*process.split()))
            place.wait(lambda: place.settled("sms"), 600)
        came: dict[str, float] = stub.report()["came"]
    _check_order(came)
    rate = TEXTS / (max(came.values()) - began)
    return [Result("P14 a burst of 5,000 texts", rate, "texts/s", "limit", GOAL, 1, SHORT)]


def _company(stub: Stub) -> AbstractContextManager[Company]:
    """Each writer says more in this one minute than people may, and the numbers send as fast as they can."""
    return company(
        TWILIO_API_BASE=f"http://127.0.0.1:{stub.port}",
        CRITTER_SENDER_LIMITS="off",
        CRITTER_DAILY_SMS_BUDGET="1000000",
        CRITTER_SMS_RATE="1000",
    )


def _store(place: Company) -> None:
    """As the door stores them: writer by writer, one after the other."""
    number = place.settings.sms_numbers[0]
    with transaction(place.engine) as session:
        key = inbox.hash_key(session)
        for first in range(0, TEXTS, 500):
            inbox.accept(session, key, [_text(each, number) for each in range(first, first + 500)])


def _text(number: int, to: str) -> Incoming:
    sid = f"SM{number:032x}"
    sender = f"+1555{8000001 + number % WRITERS}"
    return Incoming("sms", sid.encode(), sender, (to,), b"", True, sid, f"nr{number} starting the ACME proposal")


def _check_order(came: dict[str, float]) -> None:
    if len(came) != TEXTS:
        raise RuntimeError(f"{len(came)} of {TEXTS} texts arrived")
    for writer in range(WRITERS):
        moments = [came[f"nr{number}"] for number in range(writer, TEXTS, WRITERS)]
        if moments != sorted(moments):
            raise RuntimeError(f"texts of writer {writer} arrived in another order")


if __name__ == "__main__":
    for result in measure():
        print(result.row())
