"""Shows what the child processes write, line by line with their names, on one terminal or in one log."""

import errno
import json
import os
import selectors
import sys
import time
from typing import IO, TextIO

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
FAINT = 2
LONGEST_LINE = 64 * 1024
UNSHOWN = ("timestamp", "level", "event", "logger", "exception")


class PipeReader:
    """Collects the lines of pipes. Once its own reader has gone it only empties them."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._colour = self._stream.isatty() and "NO_COLOR" not in os.environ
        self._pipes = selectors.DefaultSelector()
        self._begun: dict[int, bytes] = {}
        self._names: dict[str, int] = {}
        self.broken = False

    def add(self, name: str, pipe: IO[bytes]) -> None:
        os.set_blocking(pipe.fileno(), False)
        self._names.setdefault(name, COLOURS[len(self._names) % len(COLOURS)])
        self._pipes.register(pipe, selectors.EVENT_READ, name)

    def pump_for(self, seconds: float) -> None:
        """Shows what is written during this time, however much it is."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.pump(left)

    def pump(self, seconds: float) -> None:
        """Shows what has been written; waits for it at most this long."""
        for key, _ in self._pipes.select(seconds):
            pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
            said = pipe.read(LONGEST_LINE)
            if said:
                self._take(key.data, key.fd, said)
            elif said == b"":
                self._pipes.unregister(pipe)
                self._take(key.data, key.fd, b"\n" if self._begun.get(key.fd) else b"")
                pipe.close()

    def _take(self, name: str, fd: int, said: bytes) -> None:
        *lines, rest = (self._begun.pop(fd, b"") + said).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        self._begun[fd] = rest
        for line in lines:
            self._show(name, line.decode(errors="replace"))

    def _show(self, name: str, line: str) -> None:
        before = f"{name:<14} | "
        if self._colour:
            before = f"\x1b[{self._names[name]}m{before}\x1b[0m"
            line = wait_readable(line)
        for each in line.splitlines() or [""]:
            self.say(before + each)

    def say(self, text: str) -> None:
        """Writes a line. On a full disk lines are lost, but the processes keep running."""
        if self.broken:
            return
        try:
            print(text, file=self._stream, flush=True)
        except BrokenPipeError:
            self.broken = True
        except OSError as problem:
            if problem.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise


def wait_readable(line: str) -> str:
    """A structured log line for a person on a terminal; any other line as it is."""
    try:
        record = json.loads(line) if line.startswith("{") else None
    except ValueError:
        return line
    if not isinstance(record, dict) or "event" not in record:
        return line
    rest = " ".join(f"{name}={value}" for name, value in record.items() if name not in UNSHOWN)
    level = "" if record.get("level") in (None, "info") else f"{str(record['level']).upper()} "
    shown = f"{level}{record['event']} \x1b[{FAINT}m{rest}\x1b[0m".rstrip()
    return f"{shown}\n{record['exception']}" if "exception" in record else shown
