"""Fingerprints of private posts that an older version wrote; the clock takes the batches."""

from collections.abc import Iterator

from sqlalchemy import Engine

from gateway.network import private_repeats
from gateway.store.database import transaction


def batches(engine: Engine) -> Iterator[tuple[str, int]]:
    """After each committed batch its name, and how many posts were in it; ends when none is left."""
    made = 1
    while made:
        with transaction(engine) as session:
            made = private_repeats.catch_up(session)
        yield "private posts without a fingerprint", made
