"""One file with the database and the pictures, and the way back (R54). `critter backup` and `critter restore` ask.

The file is a tar: manifest.json, database.dump (pg_dump's own format) and media/. The secret key is not in it.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text
from sqlalchemy.orm import Session

from critter.servers import binaries
from gateway.errors import Refused
from gateway.ledger import audit
from gateway.ledger.audit import Head
from gateway.settings import Settings
from gateway.store.tables import Installation

Told = Callable[[str], None]

MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"
PICTURE: Final = re.compile(r"media/[0-9a-f]{2}/[0-9a-f]{64}")
VARIABLES: Final = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
                    "dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the backup is of. The audit's head proves after a restore that no row before it is missing."""

    made_at: str
    mode: str
    revision: str
    audit: Head

    def written(self) -> bytes:
        return json.dumps({**asdict(self), "audit": self.audit._asdict()}, indent=1).encode()


def describe(session: Session) -> Manifest:
    """Of the database as it is now."""
    return Manifest(
        datetime.now(UTC).isoformat(timespec="seconds"),
        session.query(Installation.mode).scalar() or "",
        str(session.scalar(text("SELECT version_num FROM alembic_version"))),
        audit.head(session),
    )


def write(settings: Settings, place: Path, manifest: Manifest, told: Told) -> int:
    """The whole backup, under its name only once it is complete and on the disk. Its size; raises Refused."""
    part = place.with_name(f"{place.name}.part")
    try:
        with tempfile.TemporaryDirectory(dir=place.absolute().parent, prefix=".critter-backup-") as folder:
            dump = Path(folder) / DUMP
            _run(settings, "pg_dump", ["--format=custom", "--no-owner", "--no-privileges", "--file", str(dump)],
                 watching=lambda: told(f"database: {_size(dump)}"))  # fmt: skip
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                _pack(file, manifest, dump, settings.var / "media", told)
                file.flush()
                os.fsync(file.fileno())
        part.rename(place)
    except OSError as error:
        raise Refused(f"{place} cannot be written ({error.strerror}): free some space, or name another file.") from None
    finally:
        part.unlink(missing_ok=True)
    return place.stat().st_size


def _pack(file: IO[bytes], manifest: Manifest, dump: Path, media: Path, told: Told) -> None:
    with tarfile.open(fileobj=file, mode="w") as tar:
        written = Path(dump.parent / MANIFEST)
        written.write_bytes(manifest.written())
        tar.add(written, MANIFEST)
        tar.add(dump, DUMP)
        pictures = [path for path in sorted(media.glob("??/*")) if path.suffix != ".part"]
        for number, path in enumerate(pictures, 1):
            with contextlib.suppress(FileNotFoundError):  # erased meanwhile
                tar.add(path, f"media/{path.parent.name}/{path.name}")
            if number % 500 == 0 or number == len(pictures):
                told(f"pictures: {number:,} of {len(pictures):,}")


@contextlib.contextmanager
def opened(place: Path) -> Iterator[tuple[Manifest, tarfile.TarFile]]:
    """Raises Refused for anything that is no backup."""
    try:
        tar = tarfile.open(place)  # noqa: SIM115 - closed below
        plain = json.loads(_member(tar, MANIFEST).read())
        manifest = Manifest(plain["made_at"], plain["mode"], plain["revision"], Head(**plain["audit"]))
    except (OSError, tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise Refused(f"{place} is no backup of Critter's ({type(error).__name__}).") from None
    with tar:
        yield manifest, tar


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """Raises KeyError when it is not there."""
    found = tar.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found


def fill(settings: Settings, tar: tarfile.TarFile, told: Told) -> None:
    """The empty database of the settings: all of the backup, or nothing. Raises Refused."""
    with tempfile.TemporaryDirectory(prefix="critter-restore-") as folder:
        dump = Path(folder) / DUMP
        with dump.open("wb") as file:
            shutil.copyfileobj(_member(tar, DUMP), file, 1 << 20)
        wanted = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", "--dbname", ""]
        _run(settings, "pg_restore", [*wanted, str(dump)], watching=lambda: told("database: restoring"))


def unpack_pictures(settings: Settings, tar: tarfile.TarFile) -> int:
    """How many are new; one that is there already is the same, for its name is its hash."""
    new = 0
    for member in tar.getmembers():
        place = settings.var / member.name
        if not PICTURE.fullmatch(member.name) or not member.isfile() or place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = place.with_suffix(".part")
        with part.open("wb") as file:
            shutil.copyfileobj(_member(tar, member.name), file, 1 << 20)
        part.replace(place)
        new += 1
    return new


def _run(settings: Settings, name: str, arguments: Sequence[str], watching: Callable[[], None]) -> None:
    """One of PostgreSQL's programs on our database; the password is in its environment, never in its arguments."""
    tool = binaries.postgres(settings.var).path.with_name(name)
    if not tool.exists():
        raise Refused(f"There is no {name} beside {tool.parent / 'postgres'}: install PostgreSQL's client programs.")
    place = _environment(settings.database_owner_url)
    given = [place["PGDATABASE"] if argument == "" else argument for argument in arguments]
    environ = {**os.environ, **place, "PGAPPNAME": "critter", "LC_ALL": "C"}
    with subprocess.Popen([tool, *given], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        seen = time.monotonic()
        while True:
            try:
                _, complaint = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                if time.monotonic() - seen > 2:
                    watching()
                    seen = time.monotonic()
    if process.returncode:
        raise Refused(f"{name} failed: {_last(complaint)}")


def _environment(url: str) -> dict[str, str]:
    known: dict[str, Any] = conninfo_to_dict(url)
    found = {VARIABLES[key]: str(value) for key, value in known.items() if key in VARIABLES and value is not None}
    return {"PGDATABASE": "critter", **found}


def _last(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return (next((line for line in lines if "error" in line), lines[-1]) if lines else "it said nothing")[:300]


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:,.1f} MB" if path.exists() else "beginning"
