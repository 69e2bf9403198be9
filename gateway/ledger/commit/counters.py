"""Counters for /metrics: what this process did, counted in memory and added to the database's totals every few seconds.

Doors and workers call `add`: it costs less than a microsecond, and their transactions never wait for each other at a
row of totals. A process that is killed loses its last seconds: these numbers are approximate, the ledger is exact.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

Key = tuple[str, str]  # what was counted, and its labels, joined by commas

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # bounds of the buckets
OVER: Final = "+Inf"  # the bucket above them, as Prometheus calls it
BOUNDS: Final = (*(f"{bound:g}" for bound in SECONDS), OVER)

_lock = threading.Lock()
_counted: defaultdict[Key, float] = defaultdict(float)


def add(name: str, *labels: str, amount: float = 1) -> None:
    """Counts something. Labels are short words of ours or a carrier's code, never numbers, addresses or bodies."""
    with _lock:
        _counted[name, ",".join(labels)] += amount


def add_all(some: Mapping[Key, float]) -> None:
    with _lock:
        for key, amount in some.items():
            _counted[key] += amount


def add_durations(name: str, label: str, buckets: Sequence[int], seconds: float) -> None:
    """Counts durations: how many fell into each bucket (the last bucket is above all bounds), and their sum."""
    found: dict[Key, float] = {(name, f"{label},{bound}"): count for bound, count in zip(BOUNDS, buckets, strict=True)}
    add_all(found | {(f"{name}_sum", label): seconds})


def take_counts() -> dict[Key, float]:
    """Returns what was counted since the last call, and forgets it here: the caller stores it, or gives it back by
    `add_all`."""
    global _counted
    with _lock:
        mine, _counted = _counted, defaultdict(float)
    return mine


def store(session: Session, some: Mapping[Key, float]) -> None:
    """Adds to the totals, always in the same order, so that two processes never deadlock."""
    rows = sorted((key, amount) for key, amount in some.items() if amount)
    if rows:
        values = {"names": [key[0] for key, _ in rows], "labels": [key[1] for key, _ in rows]}
        session.execute(STORE, {**values, "amounts": [float(amount) for _, amount in rows]})


def totals(session: Session) -> dict[Key, float]:
    """Everything that was ever counted."""
    return {(name, labels): total for name, labels, total in session.execute(TOTALS)}


STORE: Final = text("""
    INSERT INTO tallies (name, labels, total)
    SELECT * FROM unnest(CAST(:names AS text[]), CAST(:labels AS text[]), CAST(:amounts AS float8[]))
    ON CONFLICT (name, labels) DO UPDATE SET total = tallies.total + excluded.total
""")
TOTALS: Final = text("SELECT name, labels, total FROM tallies")
