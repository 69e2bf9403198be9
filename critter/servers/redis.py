"""The embedded Valkey (or Redis) for waking workers, on a private socket; all that is in it may be lost."""

import contextlib
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from critter.servers import binaries, folders
from critter.servers.account import SystemUser, reaching
from critter.servers.listener import wait_for_end
from critter.servers.spawn import spawn
from gateway.errors import Refused
from gateway.settings.embedded import socket_folder

READY_WITHIN = 20.0
STOPS_WITHIN = 5.0
OLDER = re.compile(r"(?:redis|valkey)-\d+")


class Redis:
    """One server; start() may be called again after it ended."""

    name = "redis"

    def __init__(self, var: Path, account: SystemUser) -> None:
        self._binary = binaries.redis()
        self._folder = var / self._binary.folder_name
        self._socket = socket_folder(var) / "redis.sock"
        self._account = reaching(account, [self._binary.path, self._folder / "data", self._socket])
        self._log = folders.log_file(var, "redis")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        folders.private(self._folder, self._account)
        self._remove_older()
        wait_for_end(self._socket)
        with self._log.open("ab") as log:
            self.process = spawn(
                self._command(),
                account=self._account,
                death_signal=signal.SIGTERM,
                environ={"LC_ALL": "C"},
                folder=self._folder,
                output=log,
            )
        return self.process

    def _remove_older(self) -> None:
        """Removes what another version left in the state folder; all of it may be lost, because the work is in the
        database."""
        for folder in self._folder.parent.glob("[rv]*-[0-9]*"):
            if folder != self._folder and OLDER.fullmatch(folder.name) and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)

    def _command(self) -> list[str | Path]:
        listening: list[str | Path] = ["--port", "0", "--unixsocket", self._socket, "--unixsocketperm", "700"]
        keeping = ["--dir", ".", "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        return [self._binary.path, *listening, *keeping, "--daemonize", "no", "--maxmemory-policy", "noeviction"]

    def ready(self) -> bool:
        """Whether it answers; raises Refused when it ended instead."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise Refused(f"Redis did not start: {folders.last_complaint(self._log)} (see {self._log})")
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(1)
            client.connect(str(self._socket))
            client.sendall(b"PING\r\n")
            return client.recv(100).startswith(b"+PONG")
        return False

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not self.ready():
            if time.monotonic() > deadline:
                raise Refused(f"Redis did not answer within {READY_WITHIN:.0f} s (see {self._log})")
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
