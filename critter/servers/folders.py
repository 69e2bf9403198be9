"""The state folder: one supervisor at a time claims it, and its folders belong to the users who serve from them."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from critter.servers.account import SystemUser
from gateway.errors import Refused

LONGEST_LOG = 5_000_000


@contextmanager
def claim(var: Path) -> Iterator[None]:
    """Locks the state folder; the kernel releases the lock however this process ends."""
    with _lock_file(var) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                f"Critter already runs from {var} (process {lock.read().strip() or 'unknown'}): stop it first, "
                "or give this one another CRITTER_VAR and other ports"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _lock_file(var: Path) -> IO[str]:
    try:
        var.mkdir(parents=True, exist_ok=True)
        return open(os.open(var / "lock", os.O_RDWR | os.O_CREAT, 0o644), "r+")
    except OSError as error:
        raise explain_unwritable(var, error) from None


def explain_unwritable(path: Path, error: OSError) -> Refused:
    return Refused(f"CRITTER_VAR: {path} cannot be written ({error.strerror}): set it to a folder of your own")


def private(folder: Path, account: SystemUser) -> Path:
    """The folder, which only this account can open; it is made if needed. One of another user is refused, and no mode
    is changed."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if found.st_uid == os.geteuid() != account.uid:
            os.chown(folder, account.uid, account.gid, follow_symlinks=False)
            found = folder.lstat()
    except OSError as error:
        raise explain_unwritable(folder, error) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
        raise Refused(f"{folder} must be a folder of the user {account.name} alone (mode 0700): remove or rename it")
    return folder


def log_file(var: Path, name: str) -> Path:
    """Where a server logs; the file begins anew when it has grown long, or when root left it."""
    path = var / "log" / f"{name}.log"
    path.parent.mkdir(exist_ok=True)
    if path.exists() and (path.stat().st_size > LONGEST_LOG or not os.access(path, os.W_OK)):
        path.unlink()
    return path


def last_lines(log: Path, count: int = 5) -> list[str]:
    return log.read_text(errors="replace").strip().splitlines()[-count:] if log.exists() else []


def last_complaint(log: Path) -> str:
    """Why a server ended: the last of its lines that looks like an error, or the last line at all."""
    lines = last_lines(log)
    loud = [line for line in lines if any(word in line.lower() for word in ("fatal", "error", "can't", "could not"))]
    return (loud or lines or ["it said nothing"])[-1]
