"""Runs one of PostgreSQL's own programs, pg_dump or pg_restore, on a database. critter/backup/archive and
critter/backup/restore call it."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Final

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from critter.servers import binaries
from critter.servers.spawn import preparation
from gateway.errors import Refused

VARIABLES: Final = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
                    "dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}  # fmt: skip
TELL: Final = 2.0  # seconds between two progress messages
CHUNK: Final = 1 << 20
APPLICATION: Final = "critter backup"  # how the server names it


def run(
    var: Path,
    url: str,
    name: str,
    arguments: Sequence[str],
    watching: Callable[[], None],
    source: IO[bytes] | None = None,
) -> None:
    """Raises Refused with the program's own complaint. `source` is what it reads, straight from the backup, so that the
    disk need not hold a second copy. The password is in its environment, never in its arguments. The program ends with
    this process.
    """
    tool = binaries.postgres(var).path.with_name(name)
    if not tool.exists():
        raise Refused(f"There is no {name} beside {tool.parent / 'postgres'}: install PostgreSQL's client programs.")
    environ = {**os.environ, **environment(url), "PGAPPNAME": APPLICATION, "LC_ALL": "C"}
    with subprocess.Popen(
        [tool, *arguments],
        env=environ,
        stdin=subprocess.DEVNULL if source is None else subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=preparation(os.getpid()),
    ) as process:
        try:
            complaint = _attend(process, source, watching)
        except BaseException:  # Ctrl-C too: nothing may keep running
            process.kill()
            raise
    if process.returncode:
        raise Refused(f"{name} failed: {_last(complaint)}")


def _attend(process: "subprocess.Popen[bytes]", source: IO[bytes] | None, watching: Callable[[], None]) -> bytes:
    """Feeds it until it ends; returns what it complained about."""
    complaints: list[bytes] = []
    stderr = process.stderr
    assert stderr is not None
    listener = threading.Thread(target=lambda: complaints.append(stderr.read()), daemon=True)
    listener.start()
    feeder = _Feeder(process, source)
    while True:
        try:
            process.wait(TELL)
            break
        except subprocess.TimeoutExpired:
            watching()
    listener.join()
    feeder.end()
    return complaints[0] if complaints else b""


class _Feeder:
    """A thread that writes the source into the program, while another one waits for the program's end."""

    def __init__(self, process: "subprocess.Popen[bytes]", source: IO[bytes] | None) -> None:
        self._process, self._source = process, source
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Raises the error of the source, if there was one."""
        self._thread.join()
        if self._problem is not None:
            raise self._problem

    def _run(self) -> None:
        pipe = self._process.stdin
        if self._source is None or pipe is None:
            return
        try:
            while chunk := self._source.read(CHUNK):
                pipe.write(chunk)
            pipe.close()
        except BrokenPipeError:  # it has ended, and says why
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        except Exception as problem:  # noqa: BLE001  raised where the program is waited for
            self._problem = problem
            self._process.kill()


def environment(url: str) -> dict[str, str]:
    """libpq's variables for the database. `pooled` is a setting of ours alone."""
    plain = make_url(url).difference_update_query(["pooled"]).render_as_string(hide_password=False)
    known: dict[str, Any] = conninfo_to_dict(plain)
    found = {VARIABLES[key]: str(value) for key, value in known.items() if key in VARIABLES and value is not None}
    return {"PGDATABASE": "critter", **found}


def _last(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return (next((line for line in lines if "error" in line), lines[-1]) if lines else "it said nothing")[:300]
