"""The files of a post, as the owner of a reader's link may see them now. The post's page and the routes of its files
ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from gateway.files.file_types import PICTURES, noun
from gateway.network.audience import visibility
from gateway.network.posts import posts, rendering
from gateway.store.tables import Account, Address, Media, Post
from gateway.store.views import ZONES


@dataclass(frozen=True, slots=True)
class File:
    """One file. `digest` and `small`: SHA-256 in hex; None while it is being fetched or when it was not kept."""

    number: int
    name: str
    type: str
    state: str
    size: int | None
    digest: str | None
    small: str | None

    @property
    def picture(self) -> bool:
        return self.digest is not None and self.type in PICTURES

    @property
    def shown_size(self) -> str:
        if self.size is None:
            return ""
        return f"{self.size / 1e6:.1f} MB" if self.size >= 1e6 else f"{max(1, round(self.size / 1e3))} kB"


@dataclass(frozen=True, slots=True)
class PostMedia:
    """The post's writer and words, as far as the link may show them, and its files. `attached`: what texts call
    them."""

    author: str
    handle: str
    group: str | None
    at: datetime
    timezone: str
    language: str
    text: str
    attached: str
    files: Sequence[File]


def of_post(session: Session, post_id: int, address_id: int) -> PostMedia | None:
    """None when the owner of this address may see nothing of it now: retracted, removed from the group, blocked,
    suspended."""
    author, group = aliased(Account), aliased(Account)
    found = session.execute(
        select(Post, author, group, ZONES.c.zone, Account.language)
        .join(author, author.id == Post.author_id)
        .outerjoin(group, group.id == Post.group_id)
        .join(Address, Address.id == address_id)
        .join(Account, Account.id == Address.account_id)
        .join(ZONES, ZONES.c.account_id == Account.id)
        .where(Post.id == post_id, Post.attached.is_not(None))
    ).one_or_none()
    if found is None or visibility.open_link(session, post_id, address_id) != "readable":
        return None
    post, writer = found[:2]
    where: Account | None = found[2]
    private = post.visibility == "direct" or (where is not None and where.access == "closed")
    first = session.get(Post, post.repeat_of) if post.repeat_of else None
    return PostMedia(
        author=rendering.signature(writer, None, post, posts.origin(session, first)),
        handle=writer.handle,
        group=where.handle if where else None,
        at=post.created_at,
        timezone=found.zone,
        language=found.language,
        text="" if private else post.text,
        attached=post.attached or "",
        files=_files(session, post),
    )


def _files(session: Session, post: Post) -> list[File]:
    rows = session.scalars(select(Media).where(Media.upload_id == post.upload_id).order_by(Media.number))
    return [_file(number, row) for number, row in enumerate(rows, 1)]


def _file(number: int, row: Media) -> File:
    kept = row.state == "fetched" and row.name is not None  # one without a name was not cleaned yet
    return File(
        number=number,
        name=row.name or noun(row.content_type),
        type=row.content_type or "application/octet-stream",
        state="new" if row.state == "fetched" and not kept else row.state,
        size=row.size if kept else None,
        digest=row.sha256.hex() if kept and row.sha256 else None,
        small=row.small_sha256.hex() if kept and row.small_sha256 else None,
    )
