"""P12: one text to 10,000 mailboxes with one, two, four and eight processes that send mails. Every mail arrives once,
whoever sends it, and with more of them than cores it does not go slower than with one.
"""

from __future__ import annotations

import statistics
from typing import Final

from bench.result import Result
from bench.road_out import road

CREWS: Final = (2, 4, 8)
ROUNDS: Final = 3
KEEPS: Final = 0.8  # of the rate of one worker: two equal runs differ by as much


def measure() -> list[Result]:
    """Measures each number of workers, and compares it with one worker of the same run. A mail that was sent twice ends
    the bench."""
    alone = _rate(1)
    return [
        Result(f"P12 mail out, {workers} workers", _rate(workers), "mails/s", "one worker", alone, KEEPS)
        for workers in CREWS
    ]


def _rate(workers: int) -> float:
    with road(workers=workers) as ours:
        return statistics.median([ours.run() for _ in range(ROUNDS + 1)][1:])


if __name__ == "__main__":
    for result in measure():
        print(result.row())
