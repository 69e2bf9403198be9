"""What it costs to find the writer's own words in a mail: over the corpus of tests/mails, and for the worst mails that
we could make.

    python -m bench.cleaning

It prints the median and the slowest mail of the corpus, and time and memory of each hostile one, in processor time of
one core; docs/running.md quotes it. Memory is what Python's own allocator counts, above the mail itself.
"""

from __future__ import annotations

import statistics
import sys
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.errors import Refused
from gateway.mail.parse.own_words import read_own_words
from tests.support.hostile_mails import mails

CORPUS: Final = Path(__file__).parent.parent / "tests" / "mails"
ROUNDS: Final = 5
MOST_MILLISECONDS: Final = 3.0
MOST_SECONDS: Final = 1.0
MOST_MEGABYTES: Final = 50.0


def main() -> int:
    took = sorted(_seconds(path.read_bytes(), ROUNDS) * 1000 for path in CORPUS.glob("*.eml"))
    median = statistics.median(took)
    late = took[len(took) * 95 // 100]
    print(f"{len(took)} mails: median {median:.2f} ms, p95 {late:.2f} ms, at most {took[-1]:.2f} ms")
    worst = [(name, _seconds(raw), _megabytes(raw)) for name, raw in mails()]
    for name, seconds, megabytes in worst:
        print(f"  {name:26} {seconds:6.2f} s {megabytes:6.1f} MB")
    slow, large = max(each[1] for each in worst), max(each[2] for each in worst)
    print(f"worst: {slow:.2f} s, {large:.1f} MB")
    return 0 if median <= MOST_MILLISECONDS and slow <= MOST_SECONDS and large <= MOST_MEGABYTES else 1


def _seconds(raw: bytes, rounds: int = 2) -> float:
    """Processor time of the quickest of several rounds."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        with suppress(Refused):
            read_own_words(raw)
        found.append(time.process_time() - start)
    return min(found)


def _megabytes(raw: bytes) -> float:
    tracemalloc.start()
    with suppress(Refused):
        read_own_words(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1_000_000


if __name__ == "__main__":
    sys.exit(main())
