"""Files of the media folder that no row has any more: what retention let go of, and what crashes left. The clock
sweeps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine

from gateway.files import folder
from gateway.ledger import pictures
from gateway.store.database import transaction

BREATH: Final = 0.5  # seconds between two shelves

log = structlog.get_logger()


def sweep(engine: Engine, var: Path) -> Iterator[tuple[str, int]]:
    """Shelf by shelf: after each its name for the log, and how many files went. What was kept uncleaned is cleaned."""
    with transaction(engine) as session:
        again = pictures.clean_again(session)
    yield "pictures to be cleaned", again
    for shelf in folder.shelves(var):
        names, parts = folder.old(shelf)
        for part in parts:
            part.unlink(missing_ok=True)
        gone = remove_unreferenced(engine, var, names) if names else 0
        yield "files that nothing refers to", gone + len(parts)


def remove_unreferenced(engine: Engine, var: Path, names: list[str]) -> int:
    """Of these files those that no row has; a worker that is just keeping one waits."""
    with transaction(engine) as session:
        gone = pictures.unreferenced(session, names)
        for name in gone:
            folder.remove(var, name)
    return len(gone)


class Sweeping:
    """The clock's pass over the folder, once an hour, a shelf a turn."""

    def __init__(self, engine: Engine, var: Path) -> None:
        self._engine, self._var = engine, var
        self._left: Iterator[tuple[str, int]] | None = None

    def turn(self) -> float | None:
        """How long until the next shelf; None when the pass is over. One that fails begins anew."""
        left, self._left = self._left or sweep(self._engine, self._var), None
        found = next(left, None)
        if found is None:
            return None
        what, rows = found
        if rows:
            log.info("kept no longer", what=what, rows=rows)
        self._left = left
        return BREATH
