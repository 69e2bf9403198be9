"""The database host: the embedded PostgreSQL, reachable over TCP from its rehearsal network alone.

python -m tests.rehearsal.database FOLDER ADDRESS
"""

import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from critter.servers import folders
from critter.servers.account import serving
from critter.servers.postgres import Postgres
from gateway.settings import embedded


class Reachable(Postgres):
    """Trusts its network, which holds nobody else."""

    address = ""

    def _options(self) -> Iterator[str]:
        yield from super()._options()
        yield from ("-c", f"listen_addresses={self.address}")

    def _write_access(self) -> None:
        super()._write_access()
        with (self._folder / "critter_hba.conf").open("a") as file:
            file.write(f"host all {embedded.ROLE},{embedded.OWNER} {self.address}/24 trust\n")


def main(folder: Path, address: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    account = serving(folder)
    folders.private(embedded.socket_folder(folder), account)
    server = Reachable(folder, account)
    server.address = address
    server.prepare()
    server.start()
    server.wait_ready()
    stop.wait()
    server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
