"""A folder in memory for the servers of the tests: PostgreSQL makes a thousand files for each database.

On a disk the kernel takes a third of a second of processor time to make them, in memory a fiftieth. conftest.py asks.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
WANTED: Final = 3_000_000_000  # octets that must be free there; the servers of one test process need a tenth
NAME: Final = "critter-tests"


@contextmanager
def memory_folder(otherwise: Path) -> Iterator[Path]:
    """A folder that is gone afterwards; `otherwise`, a folder on the disk, where memory is scarce."""
    if not _has_room():
        yield otherwise
        return
    _remove_left_behind()
    made = Path(tempfile.mkdtemp(prefix=f"{NAME}-{os.getpid()}-", dir=MEMORY))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def new_folder(memory: Path) -> Path:
    """An empty one of a test module's own: one worker of xdist may run a module in two parts."""
    return Path(tempfile.mkdtemp(dir=memory))


def _has_room() -> bool:
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK)):
        return False
    return shutil.disk_usage(MEMORY).free > WANTED


def _remove_left_behind() -> None:
    """Removes the folders of test processes that were killed."""
    for folder in MEMORY.glob(f"{NAME}-*"):
        if not Path("/proc", folder.name.split("-")[2]).exists():
            shutil.rmtree(folder, ignore_errors=True)
