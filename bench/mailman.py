"""A Mailman 3 of its own, on loopback under /tmp, whose list has VERP on every delivery: the peer of P5.

It lives in a virtual environment of its own (`bench/peers`), which `--install-peers` makes, because its libraries and
ours must not mix. With VERP it sends one mail after the other, so its rate does not depend on how many there are; the
list is kept small, because subscribing people takes long.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.ports import free_port

HOME: Final = Path(__file__).parent / "peers/mailman"
PACKAGE: Final = "mailman==3.3.10"
HOW: Final = "Mailman is not installed: python -m bench --install-peers"
MEMBERS: Final = 100
MEMORY: Final = Path("/dev/shm")  # its SQLite commits for each member
PATIENCE: Final = 300.0
STARTS_WITHIN: Final = 60.0

CONFIG: Final = """
[mailman]
site_owner: root@mail.example
layout: here
[paths.here]
var_dir: {folder}/var
[mta]
incoming: mailman.mta.null.NullMTA
outgoing: mailman.mta.deliver.deliver
smtp_host: 127.0.0.1
smtp_port: {sink}
lmtp_port: {lmtp}
verp_delivery_interval: 1
verp_personalized_deliveries: yes
[webservice]
port: {rest}
"""
IDLE: Final = ("archive", "bounces", "command", "digest", "lmtp", "nntp", "rest", "retry", "task", "virgin")

MAKE: Final = """
import sys
from mailman.core.initialize import initialize
initialize(sys.argv[1])
from mailman.app.lifecycle import create_list
from mailman.database.transaction import transaction
from mailman.interfaces.action import Action
from mailman.interfaces.domain import IDomainManager
from mailman.interfaces.mailinglist import Personalization
from mailman.interfaces.usermanager import IUserManager
from mailman.utilities.datetime import now
from zope.component import getUtility
with transaction():
    getUtility(IDomainManager).add("mail.example")
    all = create_list("all@mail.example")
    all.personalize = Personalization.individual
    all.default_nonmember_action = Action.accept
    for number in range(int(sys.argv[2])):
        address = getUtility(IUserManager).create_address(f"p{number}@corp.example")
        address.verified_on = now()
        all.subscribe(address)
"""
MAIL: Final = (
    "From: Kim Lee <kim@mail.example>\r\nTo: all@mail.example\r\nSubject: starting the ACME proposal\r\n"
    "Message-ID: <{number}@mail.example>\r\n\r\n" + "The quick brown fox jumps over the lazy dog and so on.\r\n" * 20
)


def missing() -> str | None:
    """What to do before it can run, in one line; None when nothing is missing."""
    return None if (HOME / "bin/master").exists() else HOW


def install() -> None:
    """Raises CalledProcessError when PyPI cannot be reached."""
    subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
    subprocess.run([HOME / "bin/pip", "install", "--quiet", PACKAGE], check=True)


class Mailman:
    """The runners that a mail to a list needs, and no others."""

    def __init__(self, sink: int) -> None:
        self._sink = sink
        self._folder = Path(tempfile.mkdtemp(prefix="mailman-", dir=MEMORY if MEMORY.is_dir() else None))
        self._config = self._folder / "mailman.cfg"
        self._sent = 0

    def __enter__(self) -> Self:
        idle = "".join(f"[runner.{name}]\nstart: no\n" for name in IDLE)
        place = {"folder": self._folder, "sink": self._sink, "lmtp": free_port(), "rest": free_port()}
        self._config.write_text(CONFIG.format(**place) + idle)
        make = [str(HOME / "bin/python"), "-c", MAKE, str(self._config), str(MEMBERS)]
        subprocess.run(make, check=True, capture_output=True, timeout=300)
        with (self._folder / "log").open("wb") as log:
            self._master = subprocess.Popen([HOME / "bin/master", "-C", self._config], stdout=log, stderr=log)
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._master.terminate()
        self._master.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def submit(self) -> None:
        """One mail to the list: the peer of our one accepted text."""
        self._sent += 1
        root = ["--run-as-root"] if os.geteuid() == 0 else []
        inject = [str(HOME / "bin/mailman"), *root, "-C", str(self._config), "inject", "all@mail.example"]
        mail = MAIL.format(number=self._sent).encode()
        subprocess.run(inject, input=mail, check=True, capture_output=True, timeout=60)

    def _wait(self) -> None:
        """Waits until the runners say in their log that they have started."""
        end = time.monotonic() + STARTS_WITHIN
        logs = self._folder / "var/logs"
        while not all(f"{name} runner started" in self._said(logs) for name in ("in", "pipeline", "out")):
            if time.monotonic() > end or self._master.poll() is not None:
                raise RuntimeError(f"Mailman never started: {(self._folder / 'log').read_text()[-500:]}")
            time.sleep(0.2)

    @staticmethod
    def _said(logs: Path) -> str:
        return "".join(log.read_text(errors="replace") for log in logs.glob("*.log"))
