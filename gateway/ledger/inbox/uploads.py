"""Files that somebody uploads by themselves, on a page or by the API; workers/media.py cleans and stores them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.inbox.media import describe_kind


def add(
    session: Session, account_id: int, name: str, content_type: str, content: bytes, description: str | None = None,
    size: tuple[int, int] | None = None,
) -> int:  # fmt: skip
    """Keeps one file until a post of this account shows it; returns the upload's id. `description`: what it shows;
    `size`: width and height of a picture, as it says itself."""
    width, height = size or (None, None)
    values = {"account": account_id, "name": name, "type": content_type, "content": content, "shows": description}
    return int(session.execute(ADD, {**values, "width": width, "height": height}).scalar_one())


@dataclass(frozen=True, slots=True)
class UnusedUpload:
    """A file that no post shows yet; `digest`, `small`: SHA-256 in hex, once it is stored."""

    id: int
    name: str | None
    content_type: str
    state: str
    description: str | None
    width: int | None
    height: int | None
    blurhash: str | None
    digest: str | None
    small: str | None


def find_unused(session: Session, account_id: int, upload_id: int) -> UnusedUpload | None:
    """None when it is not this account's, is gone, or is shown by a post."""
    row = session.execute(UNUSED, {"account": account_id, "id": upload_id}).one_or_none()
    return UnusedUpload(*row) if row else None


def change_description(session: Session, upload_id: int, description: str | None) -> None:
    session.execute(DESCRIBE, {"id": upload_id, "shows": description})


def count_today(session: Session, account_id: int) -> int:
    """How many files this account uploaded within a day, of those that are not deleted."""
    return session.scalar(COUNT, {"account": account_id}) or 0


def combine(session: Session, account_id: int, ids: Sequence[int]) -> int | None:
    """Makes one upload of several, in their order, and returns its id. None when one of them is not this account's, is
    gone, or is shown by a post already."""
    mine = session.scalars(LOCK, {"account": account_id, "ids": list(ids)}).all()
    if len(set(ids)) != len(ids) or set(mine) != set(ids) or session.scalar(SHOWN, {"ids": list(ids)}):
        return None
    if len(ids) > 1:
        session.execute(MOVE, {"first": ids[0], "ids": list(ids)})
        session.execute(FORGET, {"ids": list(ids[1:])})
    return ids[0]


def forget(session: Session, upload_id: int) -> None:
    """Deletes it; its file goes with the next sweep of the folder."""
    session.execute(FORGET, {"ids": [upload_id]})


def describe(session: Session, account_id: int, ids: Sequence[int]) -> str | None:
    """Files of this account as a text names them together: photo, 2 photos, 3 files; None without any."""
    return describe_kind(session.scalars(TYPES, {"account": account_id, "ids": list(ids)}).all())


ADD: Final = text("""
    WITH upload AS (INSERT INTO uploads (account_id) VALUES (:account) RETURNING id), file AS (
        INSERT INTO media (upload_id, number, name, content_type, raw, description, width, height)
        SELECT id, 0, :name, :type, :content, :shows, :width, :height FROM upload
    )
    SELECT id FROM upload
""")
UNUSED: Final = text("""
    SELECT u.id, m.name, m.content_type, m.state, m.description, m.width, m.height, m.blurhash,
           encode(m.sha256, 'hex'), encode(m.small_sha256, 'hex')
    FROM uploads u JOIN media m ON m.upload_id = u.id
    WHERE u.id = :id AND u.account_id = :account AND NOT EXISTS (SELECT FROM posts p WHERE p.upload_id = u.id)
""")
DESCRIBE: Final = text("UPDATE media SET description = :shows WHERE upload_id = :id")
COUNT: Final = text("""
    SELECT count(*) FROM uploads u JOIN media m ON m.upload_id = u.id
    WHERE u.account_id = :account AND u.id >= id_at(now() - interval '1 day')
""")
# Whether a post shows them is asked only once they are locked: another request may just have posted them.
LOCK: Final = text("SELECT id FROM uploads WHERE id = ANY(:ids) AND account_id = :account ORDER BY id FOR UPDATE")
SHOWN: Final = text("SELECT EXISTS (SELECT FROM posts WHERE upload_id = ANY(:ids))")
TYPES: Final = text("""
    SELECT m.content_type FROM media m JOIN uploads u ON u.id = m.upload_id
    WHERE u.account_id = :account AND u.id = ANY (:ids)
""")
MOVE: Final = text("""
    UPDATE media m SET upload_id = :first, number = place.number - 1
    FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS place (id, number)
    WHERE m.upload_id = place.id AND place.id <> :first
""")
FORGET: Final = text("DELETE FROM uploads WHERE id = ANY(:ids)")
