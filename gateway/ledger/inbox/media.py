"""Pictures and files that came with a text or mail: which are still to be stored, how that ended, which files are in
use.

workers/media works them off. No transaction is open meanwhile: a claim is a short transaction that writes a lease.
"""

import random
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.files.file_types import noun
from gateway.ledger.commit.backoff import next_wait as retry

TRIES: Final = 8  # with the backoff between them, these take some hours


class DueMedia(NamedTuple):
    """One file to be stored: it is at the carrier (`url`), in a mail (`raw`), or was uploaded by itself (`content`).
    `attempt` fences a late worker. `digest`: the file is in the folder as it came, because an older version did not
    clean pictures."""

    upload_id: int
    number: int
    attempt: int
    url: str | None
    name: str | None
    raw: bytes | None
    digest: bytes | None
    content: bytes | None


class BroughtMedia(NamedTuple):
    """One part of a mail that is to be stored as a file."""

    number: int
    name: str
    content_type: str


class StoredMedia(NamedTuple):
    """The file as the folder has it now; of a picture also what apps draw until it is there."""

    digest: bytes
    small: bytes | None
    size: int
    content_type: str
    name: str
    width: int | None = None
    height: int | None = None
    blurhash: str | None = None


def claim(session: Session, lease: timedelta) -> DueMedia | None:
    """Claims the file that waits longest. A worker that takes it and is lost has used up a try."""
    row = session.execute(CLAIM, {"lease": lease}).one_or_none()
    return DueMedia(*row) if row else None


def mark_stored(session: Session, due: DueMedia, now: StoredMedia) -> None:
    """Notes that the file is in the folder. The caller holds `in_use`."""
    session.execute(KEPT, {**_key(due), **now._asdict()})


def mark_failed(session: Session, due: DueMedia, reason: str, *, again: bool) -> None:
    """Has the file tried again later when that can help, up to TRIES times."""
    over = not again or due.attempt >= TRIES
    wait = retry(due.attempt, random.uniform(0.5, 1))  # noqa: S311
    session.execute(FAILED, {**_key(due), "reason": reason, "state": "failed" if over else "new", "wait": wait})


def put_back(session: Session, due: DueMedia, wait: timedelta) -> None:
    """Gives the file back, for the database was away when it was to be stored: this counts as no try."""
    session.execute(PUT_BACK, {**_key(due), "wait": wait})


def clean_again(session: Session) -> int:
    """Puts back the files that a worker of the version before stored without cleaning them; how many. Only cleaned
    files have a name."""
    return len(session.execute(UNCLEANED).all())


def bring(session: Session, inbound_id: int, parts: Sequence[BroughtMedia]) -> None:
    """Notes the files that a mail brings; they are taken out of it later."""
    given = {
        "inbound": inbound_id,
        "numbers": [part.number for part in parts],
        "names": [part.name for part in parts],
        "types": [part.content_type for part in parts],
    }
    session.execute(BRING, given)


def take_back(session: Session, inbound_id: int) -> None:
    """Deletes the rows of a mail's files: the mail was a command, so its attachments are not wanted."""
    session.execute(TAKE_BACK, {"inbound": inbound_id})


def list_attached(session: Session, upload_id: int | None) -> str | None:
    """The files of an upload as a text names them: photo, 2 photos, 3 files; None without any. What came with an
    inbound has its id."""
    if upload_id is None:
        return None
    return describe_kind(session.scalars(TYPES, {"upload": upload_id}).all())


def describe_kind(types: Sequence[str | None]) -> str | None:
    """photo, 2 photos, 3 files; None without any."""
    nouns = {noun(kind) for kind in types}
    if not nouns:
        return None
    word = nouns.pop() if len(nouns) == 1 else "file"
    return word if len(types) == 1 else f"{len(types)} {word}s"


def in_use(session: Session) -> None:
    """Keeps the garbage collector off: until this transaction ends, no file in the folder is deleted."""
    session.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": FOLDER})


def unreferenced(session: Session, names: Collection[str]) -> set[str]:
    """Those of these files (SHA-256, hex) that no row has. Until this transaction ends, none of them gets a row."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": FOLDER})
    return set(session.scalars(UNREFERENCED, {"names": list(names)}))


def _key(due: DueMedia) -> dict[str, int]:
    return {"upload": due.upload_id, "number": due.number, "attempt": due.attempt}


FOLDER: Final = 0x6D65646961  # the name of the lock: "media"

CLAIM: Final = text("""
    WITH due AS (
        SELECT upload_id, number FROM media WHERE state = 'new' AND not_before <= now()
        ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE media m SET attempt = m.attempt + 1, not_before = now() + :lease
    FROM due JOIN uploads u ON u.id = due.upload_id LEFT JOIN inbound i ON i.id = u.inbound_id
    WHERE m.upload_id = due.upload_id AND m.number = due.number
    RETURNING m.upload_id, m.number, m.attempt, m.url, m.name, CASE WHEN m.url IS NULL THEN i.raw END, m.sha256, m.raw
""")
_MINE: Final = "WHERE upload_id = :upload AND number = :number AND attempt = :attempt AND state = 'new'"
PUT_BACK: Final = text(f"UPDATE media SET attempt = attempt - 1, not_before = now() + :wait {_MINE}")  # noqa: S608
KEPT: Final = text(f"""
    UPDATE media SET state = 'fetched', sha256 = :digest, small_sha256 = :small, size = :size,
        content_type = :content_type, name = :name, width = :width, height = :height, blurhash = :blurhash,
        reason = NULL, raw = NULL {_MINE}
""")  # noqa: S608 - put together from constants
FAILED: Final = text(f"""
    UPDATE media SET state = :state, reason = :reason, not_before = now() + :wait,
        raw = CASE WHEN :state = 'new' THEN raw END {_MINE}
""")  # noqa: S608
UNCLEANED: Final = text("""
    UPDATE media SET state = 'new', attempt = 0, not_before = now() WHERE state = 'fetched' AND name IS NULL RETURNING 1
""")
BRING: Final = text("""
    INSERT INTO media (inbound_id, number, name, content_type)
    SELECT :inbound, part.number, part.name, part.content_type
    FROM unnest(CAST(:numbers AS smallint[]), CAST(:names AS text[]), CAST(:types AS text[]))
         AS part (number, name, content_type)
    ON CONFLICT DO NOTHING
""")
TAKE_BACK: Final = text("DELETE FROM uploads WHERE inbound_id = :inbound")
TYPES: Final = text("SELECT content_type FROM media WHERE upload_id = :upload ORDER BY number")
UNREFERENCED: Final = text("""
    SELECT given.file FROM unnest(CAST(:names AS text[])) AS given (file)
    WHERE given.file ~ '^[0-9a-f]{64}$'
      AND NOT EXISTS (SELECT FROM media WHERE sha256 = decode(given.file, 'hex'))
      AND NOT EXISTS (SELECT FROM media WHERE small_sha256 = decode(given.file, 'hex'))
""")
