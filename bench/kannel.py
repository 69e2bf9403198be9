"""A Kannel of its own, on loopback under /tmp, with deploy/kannel.conf and its fakesmsc for the SMS center. Needs
Debian's packages; tests/peers and the bench start one."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.ports import free_port

HOW = "Kannel is not installed: apt-get install --no-install-recommends kannel kannel-extras"
CONFIG = Path(__file__).parent.parent / "deploy/kannel.conf"
SBIN = Path("/usr/sbin")
FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
PASSWORD, TOKEN = "kannels-password", "kannels-token"
RECEIVED = re.compile(rb"Got message \d+: <(\S+) (\S+) (.*)>")


def missing() -> str | None:
    """What to do before it can run, in one line; None when nothing is missing."""
    there = FAKESMSC.exists() and all((SBIN / name).exists() for name in ("bearerbox", "smsbox"))
    return None if there else HOW


class Kannel:
    """Three processes, each of which can be killed and started again. `web` is the port at which it calls Critter."""

    def __init__(self, web: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kannel-"))
        self.sendsms = free_port()
        self._web = web
        self._center = free_port()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._logs = 0

    def __enter__(self) -> Self:
        (self.folder / "spool").mkdir()
        self._configure()
        self.start("bearerbox")
        self.start("fakesmsc")
        self.start("smsbox")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in ("smsbox", "fakesmsc", "bearerbox"):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def environ(self) -> dict[str, str]:
        """The settings with which Critter finds it."""
        return {
            "KANNEL_URL": f"http://127.0.0.1:{self.sendsms}/cgi-bin/sendsms",
            "KANNEL_USERNAME": "critter",
            "KANNEL_PASSWORD": PASSWORD,
            "KANNEL_TOKEN": TOKEN,
            "KANNEL_CALLBACKS": f"http://127.0.0.1:{self._web}",
        }

    def start(self, name: str, *texts: str, count: int = 0) -> None:
        """Starts one process. `texts`, for the center: "FROM TO text WORDS", of which it sends `count` in all."""
        if name == "fakesmsc":
            command = [str(FAKESMSC), "-H", "127.0.0.1", "-r", str(self._center), "-i", "0.01", "-m", str(count)]
            command += texts or ("1 2 text x",)
        else:
            command = [str(SBIN / name), "-v", "4", str(self.folder / "kannel.conf")]
        self._logs += 1
        with (self.folder / f"{name}-{self._logs}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(command, stdout=log, stderr=log)
        if name != "fakesmsc":
            _listening({"bearerbox": self._center, "smsbox": self.sendsms}[name], self._running[name])

    def kill(self, name: str) -> None:
        """Kills the process as a power cut would."""
        child = self._running.pop(name, None)
        if child is not None:
            child.kill()
            child.wait()

    def send(self, *texts: str, count: int) -> None:
        """Makes the center send texts of phones to us: a new center replaces the old one."""
        self.kill("fakesmsc")
        self.start("fakesmsc", *texts, count=count)

    def received(self) -> list[tuple[str, str, str]]:
        """(from, to, what) of all that any of our centers ever received, from its log: "text …" or "ucs-2 …" in hex."""
        logs = b"".join(path.read_bytes() for path in sorted(self.folder.glob("fakesmsc-*.log")))
        found = [tuple(part.decode(errors="replace") for part in match) for match in RECEIVED.findall(logs)]
        return [(each[0], each[1], each[2]) for each in found]

    def _configure(self) -> None:
        """Writes deploy/kannel.conf with ports, passwords and folders of its own, and shorter waits."""
        changes = {
            "admin-port = 13000": f"admin-port = {free_port()}",
            "13001": str(free_port()),
            "13002": str(self._center),
            "13013": str(self.sendsms),
            "127.0.0.1:8000": f"127.0.0.1:{self._web}",
            "/var/spool/kannel": f"{self.folder}/spool",
            "/var/log/kannel": str(self.folder),
            "CHANGE-PASSWORD": PASSWORD,
            "CHANGE-TOKEN": TOKEN,
            "http-queue-delay = 10": "http-queue-delay = 1",
        }
        text = CONFIG.read_text()
        for old, new in changes.items():
            assert old in text, f"{CONFIG} does not say {old}"
            text = text.replace(old, new)
        (self.folder / "kannel.conf").write_text(text)


def _listening(port: int, child: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if child.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"nobody listens on port {port}")
        time.sleep(0.05)
