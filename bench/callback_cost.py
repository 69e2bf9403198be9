"""P13: processor time of one status callback, three for each text sent, 60 a second over the signed web hook of the
real processes. All our processes, PostgreSQL and Redis count; the carrier, which is played here, does not.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from urllib.parse import urlencode

import aiohttp
import uvloop
from twilio.request_validator import RequestValidator

from bench import latency
from bench.company import Company
from bench.latency import Phones
from bench.processor_time import since, spent
from bench.result import Result
from gateway.security.signed_tokens import Signer

TEXTS = 200  # in a round, with three callbacks each
RATE = 60  # callbacks a second
ROUNDS = 3
GOAL = 0.7  # milliseconds
STATUSES = ("sending", "sent", "delivered")
UNCALLED = "SELECT array_agg(id) FROM (SELECT id FROM attempts WHERE status IS NULL ORDER BY id LIMIT :count) AS oldest"
DELIVERED = "SELECT NOT EXISTS (SELECT FROM attempts WHERE id = ANY (:ids) AND status <> 'delivered')"


def measure() -> list[Result]:
    with latency.road() as (place, _):
        rounds = [_round(place) for _ in range(ROUNDS + 1)][1:]
    parts = {part: statistics.median(each.get(part, 0.0) for each in rounds) for part in rounds[0]}
    short = ", ".join(f"{part} {spent:.2f} ms" for part, spent in sorted(parts.items(), key=lambda each: -each[1]))
    total = statistics.median(sum(each.values()) for each in rounds)
    return [
        Result(
            "P13 processor time of a status callback",
            total,
            "ms",
            "limit",
            GOAL,
            1,
            f"by process: {short}.",
            lower=True,
        )
    ]


def _round(place: Company) -> dict[str, float]:
    """Milliseconds of a callback, by process."""
    uvloop.run(Phones(place).send(TEXTS, 20))
    place.wait(lambda: place.settled("sms"))
    time.sleep(1)
    attempts = place.scalar(UNCALLED, count=TEXTS)
    before = spent(place)
    uvloop.run(_call_back(place, attempts))
    place.wait(lambda: bool(place.scalar(DELIVERED, ids=attempts)))
    time.sleep(1)
    return {name: 1000 * s / TEXTS / len(STATUSES) for name, s in since(before, spent(place)).items()}


async def _call_back(place: Company, attempts: Sequence[int]) -> None:
    signer, validator = Signer(place.settings.secret_keys), RequestValidator(place.settings.twilio_auth_tokens[0])
    account, begin, number = place.settings.twilio_account_sid, time.monotonic(), 0
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as calling:
        for attempt in attempts:
            hook = f"{place.settings.public_url}/sms/status/{signer.sign('status', attempt)}"
            for status in STATUSES:
                form = {"MessageSid": f"SM{attempt:032x}", "AccountSid": account, "MessageStatus": status}
                signature = validator.compute_signature(hook, form)
                await asyncio.sleep(max(0.0, begin + number / RATE - time.monotonic()))
                calling.create_task(_post(http, hook, urlencode(form).encode(), signature))
                number += 1


async def _post(http: aiohttp.ClientSession, hook: str, form: bytes, signature: str) -> None:
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    async with http.post(hook, data=form, headers=headers) as answer:
        await answer.read()
        assert answer.status == 204, answer.status


if __name__ == "__main__":
    for result in measure():
        print(result.row(), result.short)
