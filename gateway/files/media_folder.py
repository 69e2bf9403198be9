"""The media folder: each file once, under the SHA-256 of what is in it. Workers keep and sweep, the web door serves."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.failpoints import crash_point

YOUNG: Final = 3600.0  # seconds in which a file may still be waiting for its row


def place(var: Path, name: str) -> Path:
    """Where the file of that hash (hex) is, if it is."""
    return var / "media" / name[:2] / name


def keep(var: Path, content: bytes) -> bytes:
    """Whole or not at all, and on the disk before it returns: its SHA-256. A crash leaves a .part, no torn file."""
    digest = hashlib.sha256(content)
    there = place(var, digest.hexdigest())
    try:
        os.utime(there)  # it is in use again: no sweep takes it before its row is there
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
    """The file is there and is what its name says."""
    try:
        with place(var, name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == name
    except FileNotFoundError:
        return False


def shelves(var: Path) -> Iterator[Path]:
    """The folder's folders, one for each first two digits."""
    yield from sorted(path for path in (var / "media").glob("??") if path.is_dir())


def old(shelf: Path) -> tuple[list[str], list[Path]]:
    """What has been there for long: hashes of files, and what crashes left half written."""
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
