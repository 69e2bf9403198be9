"""A Postfix of its own, on loopback under /tmp, that only queues: the peer of P1. Needs Debian's package and root."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

HOW = "Postfix is not installed: apt-get install --no-install-recommends postfix (as root)"

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example
mydestination = mail.example
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
smtpd_client_restrictions = check_client_access static:HOLD
smtpd_peername_lookup = no
in_flow_delay = 0
"""

MASTER = """
127.0.0.1:{port} inet n - n - 200 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
local unix - n n - - local
error unix - - n - - error
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
"""


def missing() -> str | None:
    """What to do before it can run, in one line; None when nothing is missing."""
    if shutil.which("postfix", path="/usr/sbin") is None:
        return HOW
    return None if os.geteuid() == 0 else "Postfix starts as root only: run the bench as root"


class Postfix:
    """Accepts mail and holds it: nothing is delivered, so it does less than it could be asked to."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="postfix-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    def __enter__(self) -> Self:
        self.folder.chmod(0o755)
        for name in ("config", "queue", "data"):
            (self.folder / name).mkdir()
        os.chown(self.folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
        self.configure(self.folder / "config")
        self._control("start")
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._control("stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self, config: Path) -> None:
        """Writes its settings before it starts."""
        (config / "main.cf").write_text(MAIN.format(folder=self.folder))
        (config / "master.cf").write_text(MASTER.format(port=self.port))

    def held(self) -> int:
        """Mails in its queue."""
        return sum(len(files) for _, _, files in os.walk(self.folder / "queue/hold"))

    def _control(self, word: str) -> None:
        command = ["/usr/sbin/postfix", "-c", str(self.folder / "config"), word]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    def _wait(self) -> None:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("Postfix never listened")
