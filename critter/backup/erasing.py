"""Erases one person for good, and has every later restore of an older backup erase them again. `critter erase` and the
page for it call it."""

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from critter.backup import erasure_log
from gateway.failpoints import crash_point
from gateway.network.people import accounts, erase
from gateway.network.people.erase import Erased
from gateway.store.database import transaction
from workers.upkeep import media_gc


def erase_person(engine: Engine, var: Path, account_id: int, actor: str) -> Erased:
    """In a transaction of its own; what was theirs in the folder of media goes after it."""
    done = _erase(engine, var, account_id, actor)
    media_gc.remove_unreferenced(engine, var, list(done.pictures))  # after a crash the clock does it
    return done


def _erase(engine: Engine, var: Path, account_id: int, actor: str) -> Erased:
    """Writes the erasure log before the database commits: however this ends, a later restore knows of it. The line is
    removed only after a commit that certainly failed; when the connection was lost it may have committed."""
    remembered = False
    try:
        with transaction(engine) as session:
            found = accounts.by_id(session, account_id)
            assert found is not None, account_id  # whoever asks has found them
            done = erase.erase(session, found, actor)
            erasure_log.remember(var, account_id)
            remembered = True
            crash_point("remembered")
    except Exception as problem:
        if remembered and not isinstance(problem, OperationalError):
            erasure_log.take_back(var, account_id)
        raise
    return done
