"""How much of what only repeats is tried: a part in `make test`, always the same one; all of it in `make torture`.

The examples of a property are new each time there. A test whose cases are cut short bears the mark `repeats`.
"""

import os
from collections.abc import Sequence
from typing import Final, TypeVar

from hypothesis import settings

FEWEST: Final = 20
EVERY_PLACE: Final = "CRITTER_EVERY_PLACE" in os.environ
Case = TypeVar("Case")


def example_count(most: int) -> int:
    return min(most, max(most // 4, FEWEST)) if settings().derandomize else most


def each(step: int, cases: Sequence[Case], first: int = 0) -> Sequence[Case]:
    """All cases, or every `step`-th from the first on."""
    return cases if EVERY_PLACE else cases[first::step]


def many(most: int, few: int) -> int:
    """How often, or of how many."""
    return most if EVERY_PLACE else few
