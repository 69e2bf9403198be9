"""P10: one text to 1,000, 10,000 and 100,000 followers, and with CRITTER_BENCH_MILLION=1 in the environment to a
million: the time a mail takes, the memory of the worker that sends and of the one that spreads, and when the first mail
came after the commit. Sizes are measured one after the other, each in a company of its own.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.result import Result
from bench.road_out import Road, road, wait

SIZES: Final = (1_000, 10_000, 100_000)
MILLION: Final = (1_000_000,)
ROUNDS: Final = 4
PATIENCE: Final = 1_800.0
MEMORY: Final = 150.0  # MiB
FIRST: Final = 100.0  # ms
SPREAD: Final = 0.2  # how much longer a mail may take among many than among a few
SMALL: Final = "a thousand mails are gone in less time than a round of batches takes, so that their rate says little."


@dataclass(frozen=True, slots=True)
class Grown:
    """What one size took: mails a second, MiB of the largest worker, ms until the first mail."""

    size: int
    rate: float
    memory: float
    first: float


def measure() -> list[Result]:
    """Compares each size with ten thousand of the same run."""
    sizes = SIZES + (MILLION if os.environ.get("CRITTER_BENCH_MILLION") == "1" else ())
    grown = [_grown(size) for size in sizes]
    for one in grown:
        print(f"  {one.size:,}: {one.rate:,.0f} mails/s, {one.memory:.0f} MiB, first after {one.first:.0f} ms")
    middle = next(one.rate for one in grown if one.size == 10_000)
    return [result for one in grown for result in _results(one, middle)]


def _results(one: Grown, middle: float) -> list[Result]:
    what = f"P10 1 to {one.size:,}"
    found = [
        Result(f"{what}, memory", one.memory, "MiB", "the limit", MEMORY, 1, lower=True),
        Result(f"{what}, first mail", one.first, "ms", "the limit", FIRST, 1, lower=True),
    ]
    if one.size != 10_000:
        rate = Result(what, one.rate, "mails/s", "1 to 10,000", middle, 1 - SPREAD, SMALL if one.size < 10_000 else "")
        found.insert(0, rate)
    return found


def _grown(size: int) -> Grown:
    with road(size) as ours:
        runs = [_run(ours, size) for _ in range(ROUNDS if size <= 10_000 else 2)][1:]  # the first one warms up
        rate, first = (statistics.median(column) for column in zip(*runs, strict=True))
        return Grown(size, rate, max(map(_resident, ours.place.children)), first)


def _run(ours: Road, size: int) -> tuple[float, float]:
    """Mails a second from the commit on, and ms from the commit to the first of them."""
    before = ours.sink.count()
    ours.submit()
    started = time.monotonic()
    seen = wait(ours.sink, before + 1)
    last = wait(ours.sink, before + size, PATIENCE)
    ours.check()
    return size / (last["last"] - started), (seen["first"] - started) * 1000


def _resident(pid: int) -> float:
    """The most MiB that a process had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    for result in measure():
        print(result.row())
