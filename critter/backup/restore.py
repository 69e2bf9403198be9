"""Turns a backup into a database that may be used: loads it, migrates it, holds what was open, erases again who was
erased.

Both kinds of restore (critter/backup/side_by_side_restore, critter/backup/in_place_restore) call it with a database
that carries the mark of store/restore_marker: however it is interrupted, no process uses an incomplete database.
"""

import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import migrations
from critter.backup import archive, erasure_log, postgres_programs
from critter.backup.archive import Backup, Manifest
from critter.console.console import operator_name
from critter.console.database import process_role
from gateway.errors import Refused, SettingsError
from gateway.failpoints import crash_point
from gateway.files import media_folder
from gateway.ledger.audit import audit_log
from gateway.ledger.inbox import media
from gateway.ledger.operations import restore_hold
from gateway.network.people import accounts, erase
from gateway.settings import Settings
from gateway.store.database import connect, transaction
from gateway.store.restore_marker import IS_MARKED

ACTION: Final = "restore"  # in the audit


class Restore(NamedTuple):
    """What is to be restored, under which settings; `report` is called with its progress."""

    settings: Settings
    backup: Backup
    report: Callable[[str], None]


def refuse_unfit(settings: Settings, manifest: Manifest) -> None:
    """Refuses, before anything is changed, a backup of the other mode, or of a newer version."""
    if manifest.mode not in ("", settings.mode):
        raise SettingsError(f"CRITTER_MODE is {settings.mode}, but this backup was made by {manifest.mode} Critter")
    if manifest.revision > migrations.newest():
        raise Refused(
            f"This backup was made by a newer Critter (schema {manifest.revision}; this one knows "
            f"{migrations.newest()}): restore it with that version."
        )


def fill(restore: Restore, url: str) -> None:
    """Loads the backup into a marked database that is otherwise empty. Afterwards nothing of it would be sent or
    read."""
    manifest, processes = restore.backup.manifest, process_role(restore.settings, make_url(url).database)
    restore.report(f"backup of {manifest.made_at}, schema {manifest.revision}")
    wanted = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", "--dbname"]
    postgres_programs.run(
        restore.settings.var,
        url,
        "pg_restore",
        [*wanted, postgres_programs.environment(url)["PGDATABASE"]],
        lambda: restore.report("database: restoring"),
        restore.backup.dump,
    )
    crash_point("filled")
    with _Marked(url, restore.settings.secret_keys) as engine:
        migrations.migrate(engine, role=processes)
        crash_point("migrated")
        with transaction(engine) as session:
            _hold(session, manifest)
    restore.report("held: everything that was open")


def finish(restore: Restore, url: str) -> None:
    """Erases again who was erased since, and unpacks the media files that are left. Doing it twice is harmless."""
    with _Marked(url, restore.settings.secret_keys) as engine:
        _erase_again(restore, engine)
        new = _unpack(restore, engine)
    restore.report(f"pictures: {new:,} new")


def restored_at(url: str, manifest: Manifest) -> str | None:
    """When this very backup was restored there, if nothing was restored after it; None if it was not."""
    with _Marked(url) as engine, engine.connect() as connection:
        if connection.scalar(text(IS_MARKED)) or not connection.scalar(text(HAS_AUDIT)):
            return None
        row = connection.execute(LAST, {"action": ACTION}).one_or_none()
    return f"{row.created_at:%Y-%m-%d %H:%M} UTC" if row and row.backup == manifest.made_at else None


class _Marked:
    """An engine on a database that carries the mark, until the block ends."""

    def __init__(self, url: str, keys: Sequence[str] = ()) -> None:
        self._engine = connect(url, keys=keys, marked=True)

    def __enter__(self) -> Engine:
        return self._engine

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        self._engine.dispose()
        if isinstance(error, DBAPIError):
            reason = str(error.orig).strip().splitlines()[0]
            raise Refused(f"The database failed on the way: {reason}. Run critter restore FILE again.") from None


def _hold(session: Session, manifest: Manifest) -> None:
    if not audit_log.chain_stands(session, manifest.audit):
        raise Refused("The audit in this backup is not the one that was there when it was made: it was changed.")
    restore_hold.hold(session)
    held = restore_hold.read_held(session)
    if manifest.revision < audit_log.SEALED_SINCE:
        audit_log.begin_seals(session)
    counts = {"inputs": held.inputs, "fanouts": held.fanouts, "deliveries": held.deliveries}
    counts |= {"items": held.items} if held.items else {}
    counts |= {"calls": held.calls} if held.calls else {}
    audit_log.record(session, operator_name(), ACTION, None, {"backup": manifest.made_at, **counts})


def _erase_again(restore: Restore, engine: Engine) -> None:
    """Erases again who was erased after the backup was made. Their media files are never unpacked."""
    for account_id in erasure_log.read_log(restore.settings.var):
        with transaction(engine) as session:
            person = accounts.by_id(session, account_id)
            done = erase.erase(session, person, operator_name()) if person else None
        if done and done.rows:
            restore.report(f"erased again: {erase.tombstone(account_id)}")


def _unpack(restore: Restore, engine: Engine) -> int:
    """Unpacks the media files that the database refers to; returns how many are new. One that exists already is the
    same, because its name is its hash. The folder may still serve the database that is replaced, so nothing in it is
    removed."""
    found = list(archive.list_media(restore.backup))
    with transaction(engine) as session:
        unwanted = media.unreferenced(session, [name for name, _ in found])
    new = 0
    for name, member in found:
        there = media_folder.place(restore.settings.var, name)
        if name not in unwanted and not there.exists():
            new += _write(restore, member, there)
    return new


def _write(restore: Restore, member: tarfile.TarInfo, there: Path) -> bool:
    try:
        right = archive.unpack(restore.backup, member, there)
    except OSError as error:
        raise Refused(
            f"{there.parent} cannot be written ({error.strerror}): free some space, then run critter restore again."
        ) from None
    if not right:
        restore.report(f"left out: {member.name} is damaged in the backup; critter audit will name it")
    return right


def refuse_urls(settings: Settings) -> None:
    """Refuses a pooler: it hides who is connected, keeps connections of its own, and may have names of its own for
    databases. Without one both roles must mean the same database."""
    owner, processes = make_url(settings.database_owner_url), make_url(settings.database_url)
    if owner.query.get("pooled") == "on":
        raise Refused(
            "CRITTER_DATABASE_URL leads through a pooler: set CRITTER_DATABASE_OWNER_URL to PostgreSQL itself, "
            "or the first for this command alone."
        )
    if owner.database != processes.database and processes.query.get("pooled") != "on":
        raise Refused(
            f"CRITTER_DATABASE_OWNER_URL names the database {owner.database}, and CRITTER_DATABASE_URL "
            f"{processes.database}: name the same one in both."
        )


HAS_AUDIT: Final = "SELECT to_regclass('public.audit') IS NOT NULL"
LAST: Final = text("""
    SELECT created_at, detail ->> 'backup' AS backup FROM audit WHERE action = :action ORDER BY number DESC LIMIT 1
""")
