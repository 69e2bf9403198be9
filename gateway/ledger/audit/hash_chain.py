"""The chain of the audit as this process computes it, without trusting the database: hashes, seals and faults.

Each row's hash covers the row and the hash before it. Its seal is an HMAC of that hash under a key that the database
does not have. So whoever has only the database can neither add a row nor change an old one without being noticed. A
seal also vouches for all rows before it: those that older versions wrote without a seal, and those whose key is no
longer kept.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

BEGUN: Final = "audit.sealed"  # the action of the row that begins the seals in a database that older versions made
ROLLING: Final = timedelta(days=1)  # how long processes with an older version or key may go on writing beside us
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ChainEntry(NamedTuple):
    """A row as it is stored; `detail` is the text of its JSON."""

    id: int
    number: int | None
    actor: str
    action: str
    subject_id: int | None
    detail: str
    created_at: datetime
    prev: bytes | None
    hash: bytes | None
    key: str | None
    mac: bytes | None


class SealKeys:
    """Keys derived from CRITTER_SECRET_KEY for this purpose alone. The first one makes new seals; each one checks the
    seals that it has made."""

    def __init__(self, secrets: Iterable[str]) -> None:
        derived = [hmac.digest(secret.encode(), b"seal of the audit", hashlib.sha256) for secret in secrets]
        self._keys = {hashlib.sha256(key).hexdigest()[:16]: key for key in derived}

    def __contains__(self, name: object) -> bool:
        return name in self._keys

    def seal(self, digest: bytes) -> tuple[str | None, bytes | None]:
        """The key's fingerprint and the seal; (None, None) without keys."""
        for name, key in self._keys.items():
            return name, hmac.digest(key, digest, hashlib.sha256)
        return None, None

    def holds(self, entry: ChainEntry) -> bool:
        """Whether one of our keys made this row's seal, for the row as it is and all rows before it."""
        key = self._keys.get(entry.key or "")
        if key is None or entry.hash is None or entry.mac is None:
            return False
        return hmac.compare_digest(entry.mac, hmac.digest(key, entry.hash, hashlib.sha256))


def digest(entry: ChainEntry) -> bytes:
    """What the database's audit_hash computes: SHA-256 of the hash before it and the row as JSON."""
    seconds = entry.created_at - EPOCH
    fields = [
        json.dumps(entry.number),
        json.dumps(entry.id),
        json.dumps(entry.actor, ensure_ascii=False),
        json.dumps(entry.action, ensure_ascii=False),
        json.dumps(entry.subject_id),
        entry.detail,
        f"{seconds // timedelta(seconds=1)}.{seconds.microseconds:06d}",
    ]
    return hashlib.sha256((entry.prev or b"") + f"[{', '.join(fields)}]".encode()).digest()


class ChainFault(NamedTuple):
    """A row that is not as it was written, and how."""

    id: int
    why: str


@dataclass(slots=True)
class ChainCount:
    """What a check of the chain counted: the rows, those sealed by a key of ours, and the rows after the last such
    seal, for which no seal vouches yet."""

    rows: int = 0
    sealed: int = 0
    unsealed_tail: int = 0


def wrong(entries: Iterable[ChainEntry], keys: SealKeys, count: ChainCount) -> Iterator[ChainFault]:
    """Reads the rows in their order and names those that are wrong."""
    before, number = None, 0
    first: ChainEntry | None = None  # the first row that one of our keys sealed; `last` is the last one
    last: ChainEntry | None = None
    for entry in entries:
        count.rows += 1
        count.unsealed_tail += 1
        number += 1
        if why := _unchained(entry, before, number) or _unsealed(entry, keys, first, last):
            yield ChainFault(entry.id, why)
        elif keys.holds(entry):
            first, last = first or entry, entry
            count.sealed += 1
            count.unsealed_tail = 0
        before, number = entry.hash, entry.number or number


def _unchained(entry: ChainEntry, before: bytes | None, number: int) -> str | None:
    if entry.hash is None:
        return "is not in the chain"
    if entry.hash != digest(entry):
        return "is not what it was when it was written"
    if entry.prev != before or entry.number != number:
        return "does not follow the row before it: rows are missing or were put in"
    return None


def _unsealed(entry: ChainEntry, keys: SealKeys, first: ChainEntry | None, last: ChainEntry | None) -> str | None:
    """A row without a seal of ours is accepted where others could still write: before our first seal, and for a day
    after it (ROLLING) when an older version wrote before us. The row's own time alone proves nothing: the last sealed
    row before it must lie within that day, too."""
    if entry.key in keys:
        return None if keys.holds(entry) else "has a seal that its key did not make"
    if first is None or last is None:
        return None
    others_were_here = first.number != 1 or first.action == BEGUN
    if others_were_here and max(entry.created_at, last.created_at) <= first.created_at + ROLLING:
        return None
    if entry.key is None:
        return "has no seal: no process of Critter wrote it, or one of an old version that still runs"
    return "has a seal of a key that is not in CRITTER_SECRET_KEY"
