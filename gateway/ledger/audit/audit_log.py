"""The audit log: who did what, for later questions. The command line and handlers record here.

The database itself turns handles into ids, chains each row to the one before, and refuses to change or delete a row
(schema.sql): erasing a person needs no change here, and nobody can make a row look as if it had never been written.
Each row also has a seal: an HMAC under a key that the database does not have (gateway/ledger/audit/hash_chain).
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.audit.hash_chain import BEGUN, ChainCount, ChainEntry, ChainFault, SealKeys, digest, wrong
from gateway.store.database import AUDIT_KEYS

SEALED_SINCE: Final = "0007"  # from this schema on each row has a seal


class ChainHead(NamedTuple):
    """The last row of the chain. Whoever has noted it elsewhere can tell later whether rows up to it are missing."""

    number: int
    hash: str  # hex
    at: str = ""  # when it was written, UTC

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


def record(
    session: Session, actor: str, action: str, subject_id: int | None = None, detail: Mapping[str, Any] | None = None
) -> int:
    """Writes one row and returns its id. `actor`: @handle, or the command line's user. `detail` has no names, no
    numbers and no bodies, for it stays for ever; a handle under `handle`, `by`, `whom` or `inviter` becomes an id."""
    session.flush()  # the account that it names may be new
    given = {"actor": actor, "action": action, "subject": subject_id, "detail": json.dumps(dict(detail or {}))}
    entry = ChainEntry(*session.execute(NEXT, given).one())
    key, mac = keys(session).seal(digest(entry))
    session.execute(WRITE, {**entry._asdict(), "key": key, "mac": mac})
    return entry.id


def begin_seals(session: Session) -> None:
    """Writes the first seal into a database that older versions made: it vouches for all rows before it. Does nothing
    when there is a seal already."""
    if not session.scalar(SEALED):
        record(session, "critter", BEGUN)


def keys(session: Session) -> SealKeys:
    """The keys of this process, which its engine carries; none in a process that does not use the audit."""
    return SealKeys(session.connection().get_execution_options().get(AUDIT_KEYS, ()))


def head(session: Session) -> ChainHead:
    """The last row of the chain; its number is 0 while nothing was recorded."""
    row = session.execute(HEAD).one_or_none()
    if row is None:
        return ChainHead(0, "")
    return ChainHead(row.number, row.hash.hex(), row.created_at.astimezone(UTC).isoformat(timespec="seconds"))


def chain_stands(session: Session, noted: ChainHead) -> bool:
    """Whether a head that was noted before is still part of the chain."""
    if noted.number == 0:
        return True
    found = session.scalar(text("SELECT hash FROM audit WHERE number = :number"), {"number": noted.number})
    return found is not None and found.hex() == noted.hash


def find_broken(session: Session, count: ChainCount | None = None) -> Iterator[ChainFault]:
    """Yields the rows that are not as they were written; it reads the whole table, 1000 rows at a time."""
    rows = session.execute(ALL, execution_options={"yield_per": 1000})
    return wrong((ChainEntry(*row) for row in rows), keys(session), count or ChainCount())


COLUMNS: Final = "id, number, actor, action, subject_id, CAST(detail AS text), created_at, prev, hash, key, mac"
NEXT: Final = text(f"SELECT {COLUMNS} FROM audit_next(:actor, :action, :subject, CAST(:detail AS jsonb))")  # noqa: S608
WRITE: Final = text("""
    INSERT INTO audit (id, actor, action, subject_id, detail, created_at, key, mac)
    VALUES (:id, :actor, :action, :subject_id, CAST(:detail AS jsonb), :created_at, :key, :mac)
""")
HEAD: Final = text("SELECT number, hash, created_at FROM audit WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1")
SEALED: Final = text("SELECT EXISTS (SELECT FROM audit WHERE mac IS NOT NULL)")
ALL: Final = text(f"SELECT {COLUMNS} FROM audit ORDER BY number NULLS LAST, id")  # noqa: S608
