"""The media folder: each file once, under the SHA-256 of its content. Workers store and sweep, the web door serves."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.failpoints import crash_point

YOUNG: Final = 3600.0  # seconds; a younger file may not have its database row yet


def place(var: Path, name: str) -> Path:
    """The path of the file with that hash (hex), whether it exists or not."""
    return var / "media" / name[:2] / name


def keep(var: Path, content: bytes) -> bytes:
    """Stores a file and returns its SHA-256 once it is on the disk. A crash leaves a .part file, never half a file."""
    digest = hashlib.sha256(content)
    there = place(var, digest.hexdigest())
    try:
        os.utime(there)  # it is in use again: this keeps a sweep from removing it before its row exists
    except FileNotFoundError:
        _write(there, content)
    return digest.digest()


def _write(there: Path, content: bytes) -> None:
    there.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = there.with_suffix(f".{os.getpid()}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    crash_point("written")
    part.replace(there)
    folder = os.open(there.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def right(var: Path, name: str) -> bool:
    """Whether the file exists and its content has the hash that is its name."""
    try:
        with place(var, name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == name
    except FileNotFoundError:
        return False


def shelves(var: Path) -> Iterator[Path]:
    """The subfolders, one for each first two digits of a hash."""
    yield from sorted(path for path in (var / "media").glob("??") if path.is_dir())


def old(shelf: Path) -> tuple[list[str], list[Path]]:
    """The contents older than YOUNG: the hashes of files, and the paths of .part files that crashes left."""
    before = time.time() - YOUNG
    names: list[str] = []
    parts: list[Path] = []
    for path in shelf.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                parts.append(path) if path.suffix == ".part" else names.append(path.name)
    return names, parts


def remove(var: Path, name: str) -> None:
    place(var, name).unlink(missing_ok=True)
