"""The spool: a folder for what came in while the database was away, each input in a file of its own that is durable
before the carrier is told yes.

Only the fallback door has one (gateway/doors/sms/fallback). It is no second queue: all of it goes into the inbox, the
oldest first, as soon as the database answers, under the same natural keys as always, so storing it twice is harmless.
"""

import base64
import itertools
import json
import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gateway.ledger.inbox.inbox import Incoming, Picture
from gateway.ledger.outbox.callbacks import CallbackCall

LARGEST: Final = 256 * 1024 * 1024  # octets of all files; a text takes one or two blocks of the disk
BLOCK: Final = 4096
SUFFIX: Final = ".json"
ASIDE: Final = ".aside"

log = logging.getLogger(__name__)


class SpoolFull(Exception):
    """The folder holds as much as it may."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """One file and what it holds."""

    path: Path
    row: Incoming | CallbackCall


class Spool:
    """The folder. One process writes and drains it; any of its threads may. Only its owner may read it, for it holds
    texts."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self._folder, self._largest = folder, largest
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sync(folder.parent)
        for torn in folder.glob(".*.part"):  # not written to its end, so the carrier was not told yes
            torn.unlink(missing_ok=True)
        self._size = sum(_blocks(path.stat().st_size) for path in self._files())

    def keep(self, row: Incoming | CallbackCall) -> None:
        """Writes the row, which is durable when this returns. Raises SpoolFull or OSError, and then nothing of the row
        is left."""
        content = json.dumps(_written(row)).encode()
        size = _blocks(len(content))
        with self._lock:
            if self._size + size > self._largest:
                raise SpoolFull
            self._size += size
        try:
            self._write(f"{time.time_ns():020d}-{os.getpid()}-{next(self._numbers):06d}", content)
        except OSError:
            with self._lock:
                self._size -= size
            raise

    def _write(self, name: str, content: bytes) -> None:
        """Gives the file its name only after all of it is on the disk, and syncs the name, too."""
        part, path = self._folder / f".{name}.part", self._folder / f"{name}{SUFFIX}"
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            _sync(self._folder)
        except OSError:
            part.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise

    def has_room(self) -> bool:
        return self._size < self._largest

    def __len__(self) -> int:
        return len(self._files())

    def oldest(self, most: int) -> list[Spooled]:
        """The oldest files. A file that cannot be read is set aside under another name and logged."""
        found = [(path, self._read(path)) for path in self._files()[:most]]
        return [Spooled(path, row) for path, row in found if row is not None]

    def drop(self, rows: Sequence[Spooled]) -> None:
        """Deletes these files, because their rows are in the inbox."""
        for one in rows:
            self._forget(one.path)
            one.path.unlink(missing_ok=True)

    def set_aside(self, path: Path) -> None:
        """Keeps a file for a person to look at; it is not tried again unless it gets its old name back."""
        log.error("spooled input is set aside: %s", path.name)
        self._forget(path)
        path.rename(path.with_suffix(ASIDE))

    def _read(self, path: Path) -> Incoming | CallbackCall | None:
        try:
            return _row(json.loads(path.read_bytes()))
        except (ValueError, KeyError, TypeError):
            self.set_aside(path)
            return None

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"[0-9]*{SUFFIX}"))

    def _forget(self, path: Path) -> None:
        size = _blocks(path.stat().st_size) if path.exists() else 0
        with self._lock:
            self._size -= size


def _blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _sync(folder: Path) -> None:
    """A new name in a folder is on the disk only after this."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _written(row: Incoming | CallbackCall) -> dict[str, Any]:
    """The row as values for JSON. A text also keeps when it came: the inbox only knows when the spool was drained."""
    if isinstance(row, CallbackCall):
        return {"kind": "callback", **asdict(row)}
    came = row.sent_at or datetime.now(UTC)
    octets = {name: base64.b64encode(value).decode() for name, value in (("identity", row.identity), ("raw", row.raw))}
    return {"kind": "inbound", **asdict(row), **octets, "sent_at": came.isoformat()}


def _row(fields: dict[str, Any]) -> Incoming | CallbackCall:
    kind = fields.pop("kind")
    if kind == "callback":
        return CallbackCall(**fields)
    octets = {name: base64.b64decode(fields[name], validate=True) for name in ("identity", "raw")}
    lists = {"recipients": tuple(fields["recipients"]), "pictures": tuple(Picture(**one) for one in fields["pictures"])}
    return Incoming(**{**fields, **octets, **lists, "sent_at": datetime.fromisoformat(fields["sent_at"])})
