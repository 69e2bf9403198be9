"""One file with the database and the media files (R54): written by `critter backup`, read by critter/backup/restore.

The file is a tar: manifest.json, database.dump (pg_dump's own format) and media/. It does not contain the secret key.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from critter.backup import postgres_programs
from gateway.errors import Refused
from gateway.failpoints import crash_point
from gateway.ledger.audit import audit_log
from gateway.ledger.audit.audit_log import ChainHead
from gateway.settings import Settings
from gateway.store.tables import Installation

Report = Callable[[str], None]

MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"
PICTURE: Final = re.compile(r"media/[0-9a-f]{2}/([0-9a-f]{64})")
DUMPING: Final = ".critter-backup-"  # how the folder of a dump begins that is not packed yet
LEFT_BEHIND: Final = 86_400.0  # seconds after which no backup can still be at work on such a folder


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the backup contains. With the audit's head a restore can prove that no row before it is missing."""

    made_at: str
    mode: str
    revision: str
    audit: ChainHead

    def written(self) -> bytes:
        return json.dumps({**asdict(self), "audit": self.audit._asdict()}, indent=1).encode()


class Backup(NamedTuple):
    """A backup that is open for reading."""

    manifest: Manifest
    tar: tarfile.TarFile
    dump: IO[bytes]


def describe(session: Session) -> Manifest:
    """The manifest of the database as it is now."""
    return Manifest(
        datetime.now(UTC).isoformat(timespec="seconds"),
        session.query(Installation.mode).scalar() or "",
        str(session.scalar(text("SELECT version_num FROM alembic_version"))),
        audit_log.head(session),
    )


def write(settings: Settings, place: Path, manifest: Manifest, report: Report) -> int:
    """Writes the whole backup, which gets its name only once it is complete and on the disk. Returns its size; raises
    Refused."""
    part = place.with_name(f"{place.name}.part")
    _remove_left_behind(place.absolute().parent)
    try:
        with tempfile.TemporaryDirectory(dir=place.absolute().parent, prefix=DUMPING) as folder:
            dump = Path(folder) / DUMP
            wanted = ["--format=custom", "--no-owner", "--no-privileges", "--file", str(dump)]
            url = settings.database_owner_url
            postgres_programs.run(settings.var, url, "pg_dump", wanted, lambda: report(f"database: {_size(dump)}"))
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                _pack(file, manifest, dump, settings.var / "media", report)
                file.flush()
                os.fsync(file.fileno())
        part.rename(place)
    except OSError as error:
        raise Refused(f"{place} cannot be written ({error.strerror}): free some space, or name another file.") from None
    finally:
        part.unlink(missing_ok=True)
    return place.stat().st_size


def _remove_left_behind(folder: Path) -> None:
    """Deletes dumps of backups that were killed before they were packed: nothing else would ever delete them."""
    for left in folder.glob(f"{DUMPING}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > LEFT_BEHIND:
                shutil.rmtree(left)


def _pack(file: IO[bytes], manifest: Manifest, dump: Path, media: Path, report: Report) -> None:
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
                report(f"pictures: {number:,} of {len(pictures):,}")


@contextlib.contextmanager
def open_archive(place: Path) -> Iterator[Backup]:
    """Raises Refused for anything that is no complete backup; what turns out later to be wrong with the file is refused
    as well."""
    try:
        tar = tarfile.open(place)  # noqa: SIM115 - closed below
        backup = _read(tar)
    except (OSError, tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise Refused(f"{place} is not a backup of Critter's, or only a part of it ({type(error).__name__}).") from None
    with tar:
        try:
            yield backup
        except tarfile.TarError as error:
            raise Refused(f"{place} cannot be read to its end ({error}).") from None


def _read(tar: tarfile.TarFile) -> Backup:
    plain = json.loads(_member(tar, MANIFEST).read())
    manifest = Manifest(plain["made_at"], plain["mode"], plain["revision"], ChainHead(**plain["audit"]))
    datetime.fromisoformat(manifest.made_at)
    tar.getmembers()  # reads to the end: a truncated file is noticed before anything is done
    return Backup(manifest, tar, _member(tar, DUMP))


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """Raises KeyError when it is not there."""
    found = tar.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found


def list_media(backup: Backup) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """The names (SHA-256, hex) of the media files in it, and where they are."""
    for member in backup.tar.getmembers():
        if (found := PICTURE.fullmatch(member.name)) and member.isfile():
            yield found[1], member


def unpack(backup: Backup, member: tarfile.TarInfo, there: Path) -> bool:
    """Unpacks one file completely and onto the disk, or not at all; False when its hash is not its name."""
    there.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = there.with_suffix(".restored.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            shutil.copyfileobj(_member(backup.tar, member.name), file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        crash_point("picture written")
        with part.open("rb") as file:
            right = hashlib.file_digest(file, "sha256").hexdigest() == there.name
        if right:
            part.replace(there)
        return right
    finally:
        part.unlink(missing_ok=True)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:,.1f} MB" if path.exists() else "beginning"
