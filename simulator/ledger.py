"""Records everything the simulator received or called, a JSON line each, in order; tests compare Critter's tables with
it."""

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

encode = json.JSONEncoder(separators=(",", ":")).encode
CHUNK = 1 << 18


def moment(at: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the microsecond."""
    second = int(at)
    return f"{_second(second)}.{int((at - second) * 1_000_000):06d}+00:00"


@lru_cache(maxsize=64)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def digest(body: str | bytes) -> str:
    """The hash by which two bodies are compared: SHA-256 of the UTF-8 bytes, hex."""
    return hashlib.sha256(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body).hexdigest()


def _open(path: Path | None) -> int:
    """A file descriptor for appending; without a path, of a file that disappears with the process."""
    if path:
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    file, name = tempfile.mkstemp(prefix="simulator-ledger-")
    os.unlink(name)
    return file


class Ledger:
    """An append-only file. A line is in the kernel before its request is answered, so a kill loses none."""

    def __init__(self, path: Path | None, fsync: bool = False, told: Callable[[bytes], None] | None = None) -> None:
        self._file = _open(path)
        self._fsync, self._told = fsync, told
        self._pending: list[bytes] = []
        self._sync: asyncio.Future[None] | None = None
        self.seq = self._last_seq()

    def add(self, at: float, kind: str, fields: str) -> None:
        """Adds one line to the batch that the next `flush` writes; `fields` is the inside of a JSON object."""
        self.seq += 1
        line = f'{{"seq":{self.seq},"at":"{moment(at)}","kind":"{kind}",{fields}}}'.encode()
        self._pending.append(line)
        if self._told:
            self._told(line)

    def write(self, at: float, kind: str, fields: dict[str, Any]) -> None:
        """One line, at once."""
        self.add(at, kind, encode(fields)[1:-1])
        self.flush()

    def flush(self) -> None:
        """Writes the batch to the kernel; an fsync, one at a time, follows in the background when configured."""
        if not self._pending:
            return
        self._pending.append(b"")
        os.write(self._file, b"\n".join(self._pending))
        self._pending.clear()
        if self._fsync and (self._sync is None or self._sync.done()):
            self._sync = asyncio.get_running_loop().run_in_executor(None, os.fsync, self._file)

    def chunks(self) -> Iterator[bytes]:
        """The whole ledger as it is now, in pieces."""
        offset, end = 0, os.fstat(self._file).st_size
        while offset < end and (piece := os.pread(self._file, min(CHUNK, end - offset), offset)):
            yield piece
            offset += len(piece)

    def clear(self) -> None:
        self._pending.clear()
        os.truncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        self.seq = 0

    async def close(self) -> None:
        self.flush()
        if self._sync:
            await self._sync
        os.close(self._file)

    def _last_seq(self) -> int:
        """The last number in the file: a simulator that starts again on it continues counting (a torn last line is
        ended first)."""
        size = os.fstat(self._file).st_size
        tail = os.pread(self._file, 1 << 16, max(0, size - (1 << 16)))
        if tail and not tail.endswith(b"\n"):
            os.write(self._file, b"\n")
        whole = tail[: tail.rfind(b"\n") + 1].splitlines()
        return int(json.loads(whole[-1])["seq"]) if whole else 0
