"""P9: texts to one follower each, 50 a second over the signed web hook of the real processes: from its answer to the
request at a stub of Twilio. The limits, not a peer, are what it is held against.
"""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import aiohttp
import uvloop
from twilio.request_validator import RequestValidator

from bench.company import Company, company
from bench.mail_in import listens
from bench.result import Result
from bench.stub import Stub

RATE = 50
WRITERS = 100  # each with one follower, so that their texts do not wait for each other
TEXTS = 500  # in a round
ROUNDS = 3
WORDS = "{mark} starting the ACME proposal"
P50, P99 = 15.0, 60.0  # milliseconds
SHORT = (
    "a text takes about 25 ms of processor time in all, and 50 a second more than half of two cores that others share."
)

PAIRS = """
    WITH people AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 'w' || n, 'Writer ' || n FROM generate_series(1, 2 * CAST(:count AS int)) n
        RETURNING id, handle
    ), numbered AS (
        SELECT id, CAST(substr(handle, 2) AS int) AS n FROM people
    ), phones AS (
        INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
        SELECT id, 'sms', '+1555' || (8000000 + n), true, now() FROM numbered
    )
    INSERT INTO follows (follower_id, account_id, by_text)
    SELECT reader.id, writer.id, true
    FROM numbered writer JOIN numbered reader ON reader.n = writer.n + :count
"""


class Phones:
    """Signed texts, as Twilio sends them for people's phones."""

    def __init__(self, place: Company) -> None:
        self._settings = place.settings
        self._hook = f"{place.settings.public_url}/sms/inbound"
        self._validator = RequestValidator(place.settings.twilio_auth_tokens[0])
        self._number = 0
        self._series = uuid.uuid4().hex  # no two make the same ids

    def written(self, words: str) -> tuple[str, bytes, str]:
        """One text: its mark, its form and its signature."""
        self._number += 1
        mark = f"nr{self._number}"
        sid = hashlib.sha256(f"{self._series} {self._number}".encode()).hexdigest()[:32]
        form = {
            "MessageSid": f"SM{sid}",
            "AccountSid": self._settings.twilio_account_sid,
            "From": f"+1555{8000001 + self._number % WRITERS}",
            "To": self._settings.sms_numbers[0],
            "Body": words.format(mark=mark),
            "NumMedia": "0",
        }
        return mark, urlencode(form).encode(), self._validator.compute_signature(self._hook, form)

    async def send(self, count: int, rate: float = RATE, words: str = WORDS) -> dict[str, float]:
        """Sends so many a second, whatever becomes of the others; returns mark → when its web hook was answered."""
        answered: dict[str, float] = {}
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as sending:
            begin = time.monotonic()
            for number in range(count):
                await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
                sending.create_task(self._post(http, answered, words))
        return answered

    async def _post(self, http: aiohttp.ClientSession, answered: dict[str, float], words: str) -> None:
        mark, form, signature = self.written(words)
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        async with http.post(self._hook, data=form, headers=headers) as answer:
            await answer.read()
            answered[mark] = time.monotonic()
            assert answer.status == 200, answer.status


@contextmanager
def road() -> Iterator[tuple[Company, Stub]]:
    with Stub("texts") as stub:
        processes = ("web", "worker inbound", "worker fanout", "worker sms", "clock")
        base = f"http://127.0.0.1:{stub.port}"
        with company(*processes, TWILIO_API_BASE=base) as place:
            place.run(PAIRS, count=WRITERS)
            place.analyze()
            place.wait(lambda: listens(place.settings.web_listen[1]))
            yield place, stub


def round_(phones: Phones, place: Company, stub: Stub) -> list[float]:
    """Milliseconds of each text, in order; checks that every one arrived."""
    answered = uvloop.run(phones.send(TEXTS))
    place.wait(lambda: place.settled("sms"))
    came = stub.report()["came"]
    return sorted(1000 * (came[mark] - moment) for mark, moment in answered.items())


def measure() -> list[Result]:
    """The first round warms up; the median of the other rounds' percentiles counts."""
    with road() as (place, stub):
        phones = Phones(place)
        rounds = [round_(phones, place, stub) for _ in range(ROUNDS + 1)][1:]
    p50 = statistics.median(each[len(each) // 2] for each in rounds)
    p99 = statistics.median(each[len(each) * 99 // 100] for each in rounds)
    return [
        Result("P9 one text to one follower, p50", p50, "ms", "limit", P50, 1, SHORT, lower=True),
        Result("P9 one text to one follower, p99", p99, "ms", "limit", P99, 1, SHORT, lower=True),
    ]


if __name__ == "__main__":
    for result in measure():
        print(result.row())
