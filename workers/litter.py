"""Files of the media folder that no row has any more: what retention let go of, and what crashes left. The clock
sweeps."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine

from gateway.files import folder
from gateway.ledger import pictures
from gateway.store.database import transaction


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
