"""A whole Critter, as `make up` runs it, for tests that send real signals to real processes."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from gateway.settings import load
from gateway.store.database import connect
from tests.support.fork_server import Process, shared
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
READY = 60.0  # seconds


@dataclass
class Company:
    """The running processes, its database and its simulator's ledger."""

    var: Path
    environ: dict[str, str]
    process: Process
    engine: Engine
    simulator: str
    kills: Counter[str] = field(default_factory=Counter)

    def pid(self, name: str) -> int:
        return int((self.var / "pids" / name).read_text())

    def kill(self, name: str, number: int = signal.SIGKILL) -> bool:
        """Sends a real signal; False when there was nobody to hit."""
        with contextlib.suppress(ProcessLookupError, FileNotFoundError, ValueError):
            os.kill(self.pid(name), number)
            self.kills[name] += 1
            return True
        return False

    def text(self, number: str, body: str) -> bool:
        """Sends a text from a phone, as the carrier does; whether the web hook accepted it."""
        data = urllib.parse.urlencode({"body": body}).encode()
        path = f"{self.simulator}/phones/{urllib.parse.quote(number)}/texts"
        with urllib.request.urlopen(urllib.request.Request(path, data), timeout=60) as answer:
            return bool(json.load(answer)["hook"]["status"] == 200)

    def ledger(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.simulator}/ledger.jsonl", timeout=30) as answer:
            return [json.loads(line) for line in answer.read().splitlines() if line.strip()]

    def scalar(self, statement: str, **values: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(text(statement), values)

    def run(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs `critter ARGUMENTS`; `stdout` is all that it wrote."""
        written = self.var / "command.log"
        written.unlink(missing_ok=True)
        code = Process(shared().command(arguments, self.environ, written)).wait()
        return subprocess.CompletedProcess(arguments, code, written.read_text(), "")

    def wait(self, true: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(Exception):  # the database itself may be away for a moment
                if true():
                    return
            time.sleep(0.1)
        raise AssertionError(f"{what}: not after {seconds:g} s; log:\n{self.log()[-6000:]}")

    def settled(self) -> bool:
        """Everything accepted has been read, spread and sent."""
        return not self.scalar(
            "SELECT EXISTS (SELECT FROM inbound WHERE state IN ('new', 'working'))"
            " OR EXISTS (SELECT FROM fanouts WHERE state = 'waiting')"
            " OR EXISTS (SELECT FROM deliveries WHERE ended_at IS NULL)"
        )

    def log(self) -> str:
        return (self.var / "up.log").read_text(errors="replace")


def ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    return [free_port() for _ in range(count)]


@contextmanager
def company(var: Path, **settings: str) -> Iterator[Company]:
    """`critter up` until the block ends; after it nothing of it runs."""
    web, smtp, simulator, stream, fallback = ports(5)
    environ = {
        "PATH": os.environ["PATH"],
        "CRITTER_VAR": str(var),
        "CRITTER_WEB_LISTEN": f"127.0.0.1:{web}",
        "CRITTER_FALLBACK_LISTEN": f"127.0.0.1:{fallback}",
        "CRITTER_STREAM_LISTEN": f"127.0.0.1:{stream}",
        "CRITTER_SMTP_LISTEN": f"127.0.0.1:{smtp}",
        "CRITTER_SIMULATOR_LISTEN": f"127.0.0.1:{simulator}",
        **settings,
    }
    var.mkdir(parents=True, exist_ok=True)
    process = Process(shared().command(["up"], environ, var / "up.log"))
    running = Company(
        var, environ, process, connect(load(environ).database_url), f"http://127.0.0.1:{simulator}"
    )  # fmt: skip
    try:
        running.wait(lambda: "ready in" in running.log() or process.poll() is not None, "critter up", READY)
        assert process.poll() is None, running.log()
        yield running
    finally:
        running.engine.dispose()
        process.terminate()
        process.wait(timeout=60)
