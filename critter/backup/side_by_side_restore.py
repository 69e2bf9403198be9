"""Restores into a new database, which replaces ours only when it is complete (R61).

Until then ours is not changed; the new one has a name that no process knows, and a mark for which each would refuse it.
Both renames are one transaction: a crash leaves either the old or the new state. What an interrupted restore left is
removed by the next one. critter/commands/restore decides whether this kind is possible.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

import migrations
from critter.backup import restore as restoring
from critter.backup.archive import Manifest
from critter.backup.databases import LONGEST, OURS, Server
from critter.backup.restore import Restore
from gateway.errors import Refused
from gateway.failpoints import crash_point

UNFINISHED: Final = f"{OURS}not finished"
DRILL: Final = f"{OURS}a drill"


def restore(restore: Restore, server: Server, *, replace: bool) -> None:
    """Restores everything, after a sweep; our database, if it is not empty, is kept under another name. Raises Refused,
    and then ours is as it was."""
    empty = server.is_empty(server.live)
    if not empty and not replace:
        raise Refused(
            f"The database {server.live} is not empty: with --replace the backup takes its place, and it is kept under "
            "another name. Or name an empty one in CRITTER_DATABASE_URL and CRITTER_DATABASE_OWNER_URL, or take a new "
            "CRITTER_VAR."
        )
    server.refuse_others()
    scratch, old_name = f"{server.live[:LONGEST]}_restoring", _kept_name(server)
    with _dropped_unless_whole(server, scratch, restore.backup.manifest):
        _make_whole(restore, server, scratch)
        if not empty:
            _keep_pictures(restore.settings.var, old_name)
        server.unmark(scratch)
        server.swap(scratch, old_name, empty=empty)
    if empty:
        server.drop(old_name)
    else:
        _tell(restore, old_name)


@contextmanager
def drill(server: Server) -> Iterator[str]:
    """The URL of a marked database, which is dropped afterwards."""
    server.lock()
    name = f"{server.live[:LONGEST]}_drill"
    server.make(name, DRILL)
    try:
        yield server.url(name)
    finally:
        server.drop(name)


def _make_whole(restore: Restore, server: Server, scratch: str) -> None:
    """Loads the database anew, unless the last restore of this backup came so far."""
    words = _whole(restore.backup.manifest)
    if server.comment(scratch) != words:
        server.make(scratch, UNFINISHED)
        restoring.fill(restore, server.url(scratch))
        server.note(scratch, words)
        crash_point("noted as whole")
    restoring.finish(restore, server.url(scratch))
    crash_point("finished")


def _whole(manifest: Manifest) -> str:
    """The comment of a complete database. One that an older Critter completed has an older schema, and is made anew."""
    backup = f"backup of {manifest.made_at}, audit {manifest.audit.number} {manifest.audit.hash[:16]}"
    return f"{OURS}whole, schema {migrations.newest()}, {backup}"


@contextmanager
def _dropped_unless_whole(server: Server, name: str, manifest: Manifest) -> Iterator[None]:
    """Drops a database whose restore failed, so that a full disk has space again; a complete one is kept for the next
    try."""
    try:
        yield
    except BaseException:  # Ctrl-C too
        with suppress(psycopg.Error):
            if (server.comment(name) or "").startswith(OURS) and server.comment(name) != _whole(manifest):
                server.drop(name)
        raise


def sweep(server: Server, var: Path) -> None:
    """Takes the lock, and removes what restores left that were interrupted between two steps."""
    server.lock()
    for name in server.left_behind():
        server.drop(name)
    there = server.names()
    for folder in var.glob(f"media_{server.live[:LONGEST]}_before_*"):
        if folder.name.removeprefix("media_") not in there:  # its database never came to be, or was dropped
            shutil.rmtree(folder)


def _kept_name(server: Server) -> str:
    return f"{server.live[:LONGEST]}_before_{datetime.now(UTC):%Y%m%d_%H%M%S}"


def _keep_pictures(var: Path, old_name: str) -> None:
    """Links the old database's media files, because the clock deletes what the new database does not refer to."""
    try:
        for picture in (var / "media").glob("??/*"):
            there = var / f"media_{old_name}" / picture.parent.name / picture.name
            there.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.link(picture, there)
    except OSError as error:
        raise Refused(f"{var}: the old pictures cannot be kept ({error.strerror}): free some space.") from None
    crash_point("pictures kept")


def _tell(restore: Restore, old_name: str) -> None:
    pictures = restore.settings.var / f"media_{old_name}"
    also = f", its pictures as {pictures}" if pictures.exists() else ""
    restore.report(f"the database before is kept as {old_name}{also}: remove them when nobody needs them any more")
