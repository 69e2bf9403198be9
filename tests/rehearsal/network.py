"""Hosts of their own on one machine: a network namespace each, on one bridge, with addresses of nobody (RFC 5737)."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

BRIDGE = "critter-br"
RANGES = ("198.51.100", "203.0.113", "192.0.2")
NETWORK = 24


def free_range() -> str:
    """The first range that this machine has nothing in."""
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=False).stdout
    return next(one for one in RANGES if f"{one}." not in routes)


RANGE = free_range()
HERE = f"{RANGE}.1"  # of who watches


class Host:
    """One machine: its address, and what runs on it."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.address = name, f"{RANGE}.{number}"
        self._space, self._port = f"critter-{name}", f"cr-{name}"
        self._running: list[subprocess.Popen[bytes]] = []

    def open(self) -> None:
        ip("netns", "add", self._space)
        ip("link", "add", self._port, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        ip("link", "set", self._port, "master", BRIDGE, "up")
        ip("-n", self._space, "addr", "add", f"{self.address}/{NETWORK}", "dev", "eth0")
        ip("-n", self._space, "link", "set", "eth0", "up")
        ip("-n", self._space, "link", "set", "lo", "up")

    def close(self) -> None:
        self.kill()
        ip("netns", "del", self._space)

    def run(self, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as output:
            inside = ["ip", "netns", "exec", self._space, *command]
            self._running.append(
                subprocess.Popen(inside, env=environ, stdout=output, stderr=output, start_new_session=True)
            )

    def kill(self) -> int:
        """The power goes: nobody on it says good-bye. How many there were."""
        alive = [one for one in self._running if one.poll() is None]
        for one in alive:
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()
        self._running.clear()
        return len(alive)

    def cut_off(self) -> None:
        """The cable is pulled: packets vanish, and nobody is told."""
        ip("link", "set", self._port, "down")

    def plug_in(self) -> None:
        ip("link", "set", self._port, "up")


@contextmanager
def network(hosts: Sequence[Host]) -> Iterator[None]:
    ip("link", "add", BRIDGE, "type", "bridge")
    opened: list[Host] = []
    try:
        ip("addr", "add", f"{HERE}/{NETWORK}", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for host in hosts:
            opened.append(host)
            host.open()
        yield
    finally:
        for host in opened:
            host.close()
        ip("link", "del", BRIDGE)


def missing() -> str | None:
    """Why this machine cannot do it."""
    try:
        ip("netns", "add", "critter-probe")
        ip("netns", "del", "critter-probe")
    except (OSError, subprocess.CalledProcessError):
        return "network namespaces are not allowed here: run as root, with iproute2 installed"
    return None


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
