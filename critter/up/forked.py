"""A process that the supervisor forks after the imports, so that eight of them start in the time of one.

It shares nothing else: its signals, files and session are its own, and it never returns into the supervisor's code.
"""

import io
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from typing import IO, NoReturn, TextIO

from setproctitle import setproctitle

from critter.servers.spawn import die_with_parent
from gateway.errors import Refused, SettingsError

USER_ERROR = 2


class Forked:
    """The part of subprocess.Popen that the supervisor needs."""

    def __init__(self, title: str, serve: Callable[[], None]) -> None:
        reader, writer = os.pipe()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _live(title, serve, writer, parent)
        os.close(writer)
        self.stdout: IO[bytes] = io.FileIO(reader, "rb")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("critter", timeout or 0)
            time.sleep(0.01)
        return code

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


def _live(title: str, serve: Callable[[], None], writer: int, parent: int) -> NoReturn:
    code = 1
    try:
        _part_from_supervisor(writer, parent)
        setproctitle(f"critter {title}")
        serve()
        code = 0
    except (Refused, SettingsError) as error:
        print(error, file=sys.stderr)
        code = USER_ERROR
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  told whole; nothing may reach the supervisor's own code below on the stack
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _part_from_supervisor(writer: int, parent: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    die_with_parent(parent, signal.SIGKILL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(writer, 1)
    os.dup2(writer, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # the claim on the state folder is one of them
    sys.stdout, sys.stderr = _line_by_line(1), _line_by_line(2)


def _line_by_line(fd: int) -> TextIO:
    return io.TextIOWrapper(io.FileIO(fd, "w"), encoding="utf-8", errors="backslashreplace", line_buffering=True)
