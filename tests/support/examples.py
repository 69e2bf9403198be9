"""How many examples a property is tried with: some in `make test`, always the same ones; all in `make torture`, where
they are new each time."""

from hypothesis import settings

FEWEST = 20


def example_count(most: int) -> int:
    return min(most, max(most // 4, FEWEST)) if settings().derandomize else most
