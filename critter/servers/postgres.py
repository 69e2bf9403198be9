"""The embedded PostgreSQL: durable, on a private socket with peer authentication, never as root, never on TCP."""

import contextlib
import locale
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from critter.servers import binaries, folders
from critter.servers.account import SystemUser, reaching
from critter.servers.listener import wait_for_end
from critter.servers.spawn import spawn
from gateway.errors import Refused
from gateway.settings.embedded import OWNER, PORT, ROLE, socket_folder

if TYPE_CHECKING:
    import psycopg

SUPERUSER = "postgres"
ROLES = (ROLE, OWNER, SUPERUSER)
READY_WITHIN = 120.0  # a crash may need a long recovery
STOPS_WITHIN = 20.0
STILL_DYING = "shared memory block"  # the backends of a killed server have not all ended yet

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors of queries, their details and statements contain numbers and bodies, so they stay out of the log. The
    # client has the error, and logs it without them.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "cluster_name": "critter",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# Without autovacuum, too: its statistics about tables of one test would mislead the plans of the next.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


OWNED_BY = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
IS_MEMBER = f"SELECT 1 WHERE pg_has_role('{OWNER}', '{ROLE}', 'MEMBER')"


class Postgres:
    """One server and its data folder; start() may be called again after it ended. unsafe is for tests alone."""

    name = "postgres"

    def __init__(self, var: Path, account: SystemUser, unsafe: bool = False) -> None:
        self._binary = binaries.postgres(var)
        self._folder = var / self._binary.folder_name
        self._sockets = socket_folder(var)
        self._account = reaching(account, [self._binary.path, self._folder / "data", self._sockets / "socket"])
        self._unsafe = unsafe
        self._log = folders.log_file(var, "postgres")
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Makes the data folder if there is none: under another name, which a crash may leave behind, then renamed."""
        if self._folder.exists():
            self._refuse_foreign()
            return
        draft = self._folder.with_name(f"{self._folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        folders.private(draft, self._account)
        with self._log.open("ab") as log:
            environ = {"LC_ALL": "C", "PATH": os.defpath}
            made = spawn(self._initdb(draft), account=self._account, environ=environ, folder=draft, output=log)
        if made.wait():
            raise Refused(f"PostgreSQL's data folder could not be made: {folders.last_complaint(self._log)}")
        draft.rename(self._folder)

    def _refuse_foreign(self) -> None:
        if self._folder.stat().st_uid != self._account.uid:
            raise Refused(f"{self._folder} belongs to another user: start as that user or root, or set CRITTER_VAR")

    def _initdb(self, folder: Path) -> list[str | Path]:
        command: list[str | Path] = [self._binary.path.with_name("initdb"), "-D", folder, "-U", SUPERUSER]
        command += ["--encoding=UTF8", "--data-checksums", "--auth=peer", "--no-instructions", *self._locale()]
        return [*command, "--no-sync"] if self._unsafe else command

    def _locale(self) -> list[str]:
        if self._binary.version >= (17,):
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return ["--locale=C.UTF-8" if _machine_has("C.UTF-8") else "--locale=C"]

    def start(self) -> subprocess.Popen[bytes]:
        wait_for_end(self._sockets / f".s.PGSQL.{PORT}")
        self._remove_stale_files()
        self._write_access()
        with self._log.open("ab") as log:
            self.process = spawn(
                [self._binary.path, "-D", self._folder, *self._options()],
                account=self._account,
                death_signal=signal.SIGINT,  # means fast shutdown
                environ={"LC_ALL": "C"},
                folder=self._folder,
                output=log,
            )
        return self.process

    def _remove_stale_files(self) -> None:
        """Removes files with process ids, which a newer, unrelated process may have by now; nobody listens, and we hold
        the folder."""
        (self._folder / "postmaster.pid").unlink(missing_ok=True)
        (self._sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _options(self) -> Iterator[str]:
        quoted = str(self._sockets).replace('"', '""')
        paths = {
            "unix_socket_directories": f'"{quoted}"',
            "hba_file": str(self._folder / "critter_hba.conf"),
            "ident_file": str(self._folder / "critter_ident.conf"),
        }
        for name, value in {**SETTINGS, **(FAST if self._unsafe else DURABLE), **paths}.items():
            yield from ("-c", f"{name}={value}")

    def _write_access(self) -> None:
        """The kernel tells who connects: the server's user, whoever starts it, and root may; nobody else."""
        names = dict.fromkeys((self._account.name, _own_name(), "root"))
        rules = "".join(f"local all {role} peer map=critter\n" for role in ROLES)
        lines = [f'critter "{name}" {role}\n' for name in names for role in ROLES]
        for file, content in (("critter_hba.conf", rules), ("critter_ident.conf", "".join(lines))):
            path = self._folder / file
            path.write_text(content)
            os.chown(path, self._account.uid, self._account.gid)

    def ready(self) -> bool:
        """Whether it accepts connections; raises Refused when it ended instead."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise Refused(f"PostgreSQL did not start: {folders.last_complaint(self._log)} (see {self._log})")
        with contextlib.suppress(FileNotFoundError):
            lines = (self._folder / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def wait_ready(self) -> None:
        """Returns when the database accepts connections."""
        deadline = time.monotonic() + READY_WITHIN
        while not self._ready_or_again():
            if time.monotonic() > deadline:
                raise Refused(f"PostgreSQL did not answer within {READY_WITHIN:.0f} s (see {self._log})")
            time.sleep(0.02)
        self._make_database()

    def _ready_or_again(self) -> bool:
        try:
            return self.ready()
        except Refused:
            if not any(STILL_DYING in line for line in folders.last_lines(self._log)):
                raise
        time.sleep(0.2)
        self.start()
        return False

    def _make_database(self) -> None:
        """Makes two roles that are no superusers, and the database; safe to repeat after a crash in between."""
        import psycopg

        place = {"host": str(self._sockets), "port": PORT, "user": SUPERUSER, "dbname": "postgres"}
        with psycopg.connect(**place, autocommit=True) as connection:  # type: ignore[arg-type]
            for role in (ROLE, OWNER):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                    connection.execute(f"CREATE ROLE {role} LOGIN")
            owned = connection.execute(OWNED_BY, [ROLE]).fetchone()
            if owned is None:
                connection.execute(f"CREATE DATABASE {ROLE} OWNER {OWNER}")
            elif owned != (OWNER,) or not connection.execute(IS_MEMBER).fetchone():
                self._part_roles(connection)
            else:
                return
            connection.execute(f"ALTER ROLE {ROLE} NOCREATEDB; ALTER ROLE {OWNER} CREATEDB; GRANT {ROLE} TO {OWNER}")

    def _part_roles(self, connection: "psycopg.Connection[Any]") -> None:
        """Older versions had one role, which owned everything. The database is changed last: this marks that all is
        done."""
        import psycopg

        place = {"host": str(self._sockets), "port": PORT, "user": SUPERUSER, "dbname": ROLE}
        with psycopg.connect(**place, autocommit=True) as inside:  # type: ignore[arg-type]
            inside.execute(f"REASSIGN OWNED BY {ROLE} TO {OWNER}")
        connection.execute(f"ALTER DATABASE {ROLE} OWNER TO {OWNER}")

    def stop(self) -> None:
        """Fast shutdown, then harder; a server that was killed recovers at the next start."""
        if self.process is None or self.process.poll() is not None:
            return
        for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self.process.send_signal(request)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOPS_WITHIN)
                return


def _own_name() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def _machine_has(name: str) -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return True
