"""Backoff: how long a delivery that failed waits before its next try. Pure; workers/sending/settlement,
outbox/attempt_reports and inbox/media ask it."""

from datetime import timedelta
from typing import Final

STEPS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 60))  # then hourly
BUSY: Final = timedelta(seconds=1)
UNREACHED: Final = timedelta(minutes=30)  # jitter doubles it at most


def next_wait(number: int, chance: float) -> timedelta:
    """The wait after the `number`th try failed, with full jitter: `chance` is a random number from 0 to 1.

    Jitter over the whole step keeps deliveries that failed at the same time from being tried again at the same time.
    """
    return STEPS[min(number, len(STEPS)) - 1] * chance


def busy_wait(chance: float) -> timedelta:
    """The wait after a carrier said "too many at once": from half a second to one and a half."""
    return BUSY * (0.5 + chance)


def unreached_wait(earlier: int, chance: float) -> timedelta:
    """The wait after a phone could not be reached: half an hour to an hour, then twice as long each time, so that two
    more tries are spread over the four hours of a text."""
    return UNREACHED * (1 << earlier) * (1 + chance)
