"""Processes of Critter for tests that start and end them by the hundred: forked from one that has imported everything.

This file, run as a script, is that process; it reads orders, one JSON object a line, and answers each with
one. To import everything takes two seconds of processor time, so all tests of a test process share one (`shared`).
"""

import atexit
import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, Self

ROOT = Path(__file__).parents[2]


class Child:
    """A process that the fork server has started."""

    def __init__(self, fork_server: "ForkServer", name: str, pid: int) -> None:
        self._fork_server, self.name, self.pid = fork_server, name, pid
        self._handle = os.pidfd_open(pid)
        self.code: int | None = None

    def wait(self, seconds: float) -> int | None:
        """Its exit code (minus the signal that killed it), or None when it runs on after so long."""
        if self.code is None and not self._runs(seconds):
            self.code = self._fork_server.ask({"reap": self.pid})
            os.close(self._handle)
        return self.code

    def _runs(self, seconds: float) -> bool:
        """Whether it still does after so long; it is not waited for."""
        if self.code is not None:
            return False
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return not poll.poll(seconds * 1000)

    def poll(self) -> int | None:
        return self.wait(0)

    def send(self, number: int) -> bool:
        """False when it had ended already."""
        if self.poll() is not None:
            return False
        signal.pidfd_send_signal(self._handle, number)
        return True

    def kill(self) -> bool:
        """kill -9, also of what it has forked; False when it had ended already."""
        alive = self._runs(0)
        if self.code is None:  # once it was waited for, its number may be another's
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.wait(10)
        return alive

    def end(self) -> int | None:
        """SIGTERM, and its exit code."""
        self.send(signal.SIGTERM)
        return self.wait(30)


class Process:
    """A Child as subprocess.Popen would show it."""

    def __init__(self, child: Child) -> None:
        self._child, self.pid = child, child.pid

    @property
    def returncode(self) -> int | None:
        return self._child.code

    def poll(self) -> int | None:
        return self._child.poll()

    def wait(self, timeout: float = 120) -> int:
        code = self._child.wait(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self._child.name, timeout)
        return code

    def send_signal(self, number: int) -> None:
        self._child.send(number)

    def terminate(self) -> None:
        self._child.send(signal.SIGTERM)

    def kill(self) -> None:
        self._child.send(signal.SIGKILL)


class ForkServer:
    """`code`: the tree whose Critter it has imported."""

    def __init__(self, code: Path = ROOT) -> None:
        self._code = code

    def __enter__(self) -> Self:
        command, environ = [sys.executable, "-P", __file__], {**os.environ, "PYTHONPATH": str(self._code)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._turn = threading.Lock()
        self._process = subprocess.Popen(command, cwd=self._code, env=environ, **pipes)
        assert self.ask({}) == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        """What still runs is killed with it."""
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def start(self, name: str, environ: Mapping[str, str], log: Path, limits: Mapping[str, int] | None = None) -> Child:
        """`critter NAME` with this environment. `limits`: of resources, such as {"RLIMIT_NOFILE": 64}."""
        order = {"start": name, "environ": dict(environ), "log": str(log), "limits": dict(limits or {})}
        return Child(self, name, self.ask(order))

    def command(self, arguments: Sequence[str], environ: Mapping[str, str], log: Path) -> Child:
        """`critter ARGUMENTS` with this environment, as the shell would run it."""
        order = {"start": "critter", "arguments": list(arguments), "environ": dict(environ), "log": str(log)}
        return Child(self, "critter", self.ask({**order, "limits": {}}))

    def run(self, code: str, *arguments: str, log: Path | None = None) -> Process:
        """What `python -c CODE ARGUMENTS` would be; without a log it writes where this test writes."""
        order = {"start": "python", "code": code, "arguments": list(arguments), "limits": {}}
        place = {"environ": dict(os.environ), "log": str(log) if log else None}
        return Process(Child(self, "python", self.ask({**order, **place})))

    def ask(self, order: dict[str, Any]) -> Any:
        with self._turn:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


@cache
def shared() -> ForkServer:
    """The one of this test process; it ends with it."""
    fork_server = ForkServer().__enter__()
    atexit.register(fork_server.__exit__)
    return fork_server


def _serve() -> None:
    from critter.processes import registry

    registry.import_shared()
    pids: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            pid = os.fork()
            if pid == 0:
                _live(order)
            with contextlib.suppress(OSError):  # the child does so too, whoever is first
                os.setpgid(pid, pid)
            pids.add(pid)
            answer: Any = pid
        elif "reap" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["reap"], 0)[1])
            pids.discard(order["reap"])
        else:
            answer = "ready"
        print(json.dumps(answer), flush=True)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _live(order: dict[str, Any]) -> NoReturn:
    """A process group of its own, so that gunicorn's worker can be killed along with it."""
    code = 1
    try:
        os.setpgid(0, 0)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND) if order["log"] else 2
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, 1024)
        for name, most in order["limits"].items():
            resource.setrlimit(getattr(resource, name), (most, most))
        _become(order["start"], order["environ"], order.get("arguments"), order.get("code"))
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  told whole; nothing may return into the fork server's own code
        traceback.print_exc()
    finally:
        sys.stdout.flush()  # a file is written in blocks
        sys.stderr.flush()
        os._exit(code)


def _become(name: str, environ: dict[str, str], arguments: list[str] | None, code: str | None) -> None:
    from critter.processes import registry
    from critter.servers.spawn import die_with_parent
    from gateway.settings import load

    die_with_parent(os.getppid(), signal.SIGKILL)
    os.environ.clear()
    os.environ.update(environ)
    if code is not None:
        sys.argv[:] = ["-c", *(arguments or ())]
        exec(compile(code, "<code of a test>", "exec"), {"__name__": "__main__"})
        return
    if arguments is not None:
        from critter.__main__ import main

        sys.argv[:] = ["critter", *arguments]
        main()
        return
    settings = load(environ)
    registry.of(settings)[name](settings)


if __name__ == "__main__":
    _serve()
