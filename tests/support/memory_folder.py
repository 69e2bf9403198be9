"""A folder in memory for the servers of the tests: PostgreSQL makes a thousand files for each database.

On a disk the kernel takes a quarter of a second of processor time to make them, in memory a fiftieth. conftest.py asks.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
WANTED: Final = 3_000_000_000  # octets that must be free there; the servers of one test process need a tenth
NAME: Final = "critter-tests-"
LOCK: Final = "lock"


@contextmanager
def memory_folder(otherwise: Path) -> Iterator[Path]:
    """A folder that is gone afterwards; `otherwise`, a folder on the disk, where memory is scarce."""
    if not _has_room():
        yield otherwise
        return
    _remove_left_behind()
    draft = Path(tempfile.mkdtemp(prefix=f".{NAME}", dir=MEMORY))
    with (draft / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = draft.rename(MEMORY / draft.name[1:])  # by this name others see it, so it is locked already
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def new_folder(memory: Path) -> Path:
    """An empty one of a test module's own: one worker of xdist may run a module in two parts."""
    return Path(tempfile.mkdtemp(dir=memory))


def _has_room() -> bool:
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK)):
        return False
    return shutil.disk_usage(MEMORY).free > WANTED


def _remove_left_behind() -> None:
    """Removes the folders of test processes that were killed: nobody holds their locks any more."""
    for folder in MEMORY.glob(f"{NAME}*"):
        with suppress(OSError), (folder / LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
