"""P13: processor time of one text through the real processes, 20 a second over the signed web hook: accepted, read,
done, sent to one phone. All our processes, PostgreSQL and Redis count; the phones and the stub of Twilio do not.
"""

from __future__ import annotations

import statistics
import time

import uvloop

from bench import latency
from bench.company import Company
from bench.latency import Phones
from bench.processor_time import since, spent
from bench.result import Result

RATE = 20  # texts a second
TEXTS = 200  # in a round
ROUNDS = 3
UPDATE, COMMAND = 5.0, 8.0  # milliseconds: the goals


def measure() -> list[Result]:
    """Plain updates to one follower, and commands that are answered; the first round of each warms up."""
    with latency.road() as (place, _):
        updates = [_round(place, Phones(place), "{mark} starting the ACME proposal") for _ in range(ROUNDS + 1)][1:]
        commands = [_round(place, Phones(place), "whois w1") for _ in range(ROUNDS + 1)][1:]
    return [
        _result("P13 processor time of a text, a plain update", updates, UPDATE),
        _result("P13 processor time of a text, a command with an answer", commands, COMMAND),
    ]


def _round(place: Company, phones: Phones, words: str) -> dict[str, float]:
    """Milliseconds of a text, by process."""
    before = spent(place)
    uvloop.run(phones.send(TEXTS, RATE, words))
    place.wait(lambda: place.settled("sms"))
    time.sleep(1)  # what is written after the last text counts, too
    return {name: 1000 * seconds / TEXTS for name, seconds in since(before, spent(place)).items()}


def _result(name: str, rounds: list[dict[str, float]], goal: float) -> Result:
    parts = {part: statistics.median(each.get(part, 0.0) for each in rounds) for part in rounds[0]}
    short = ", ".join(f"{part} {spent:.1f} ms" for part, spent in sorted(parts.items(), key=lambda each: -each[1]))
    total = statistics.median(sum(each.values()) for each in rounds)
    return Result(name, total, "ms", "limit", goal, 1, f"by process: {short}.", lower=True)


if __name__ == "__main__":
    for result in measure():
        print(result.row(), result.short)
