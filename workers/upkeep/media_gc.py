"""Removes files of the media folder that no row refers to any more: retention or a crash left them. The clock runs
it."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine

from gateway.files import media_folder
from gateway.ledger.inbox import media
from gateway.store.database import transaction
from workers.runtime.periodic_tasks import Failures, is_away

SHELVES: Final = "media_shelves"  # the name under which failures of single shelves are counted
BREATH: Final = 0.5  # seconds between two shelves

log = structlog.get_logger()


def sweep(engine: Engine, var: Path) -> Iterator[tuple[str, int]]:
    """Sweeps the folder shelf by shelf (a shelf is a subfolder); yields after each one its name for the log and how
    many files were removed. Pictures that were kept uncleaned are taken up first."""
    yield "pictures to be cleaned", clean_again(engine)
    for shelf in media_folder.shelves(var):
        yield "files that nothing refers to", clear(engine, var, shelf)


def clean_again(engine: Engine) -> int:
    """Takes up again the pictures that were kept uncleaned; returns how many."""
    with transaction(engine) as session:
        return media.clean_again(session)


def clear(engine: Engine, var: Path, shelf: Path) -> int:
    """Sweeps one shelf; returns how many files were removed."""
    names, parts = media_folder.old(shelf)
    for part in parts:
        part.unlink(missing_ok=True)
    return (remove_unreferenced(engine, var, names) if names else 0) + len(parts)


def remove_unreferenced(engine: Engine, var: Path, names: list[str]) -> int:
    """Removes those of these files that no row refers to; returns how many. A worker that is just storing one waits."""
    with transaction(engine) as session:
        gone = media.unreferenced(session, names)
        for name in gone:
            media_folder.remove(var, name)
    return len(gone)


class Sweeping:
    """The clock's pass over the folder, once an hour, one shelf in a turn. A shelf that fails stops no other."""

    def __init__(self, engine: Engine, var: Path, failures: Failures) -> None:
        self._engine, self._var, self._failures = engine, var, failures
        self._left: deque[Path] = deque()
        self._failed = False

    def run_once(self) -> float | None:
        """Sweeps one shelf; returns the seconds until the next one, None when the pass is over."""
        if not self._left:
            clean_again(self._engine)
            self._failed, self._left = False, deque(media_folder.shelves(self._var))
        if self._left:
            self._clear(self._left.popleft())
        if not self._left and not self._failed:
            self._failures.succeeded(SHELVES)
        return BREATH if self._left else None

    def _clear(self, shelf: Path) -> None:
        try:
            gone = clear(self._engine, self._var, shelf)
        except Exception as problem:
            if is_away(problem):
                self._left.clear()
                raise
            self._failed = True
            self._failures.failed(SHELVES, problem)
            return
        if gone:
            log.info("kept no longer", what="files that nothing refers to", rows=gone)
