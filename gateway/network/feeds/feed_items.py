"""What a page shows of each update: its words, who wrote it and where, and what became of it, for one reader.

Every list makes its items here, so that none shows what its reader may not read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Boolean, Select, any_, bindparam, literal_column, not_, or_, select, text
from sqlalchemy.orm import Session, aliased

from gateway.files.file_types import PICTURES
from gateway.network.audience.visibility import readable_by
from gateway.network.feeds import own_receipts
from gateway.network.feeds.conditions import waits
from gateway.network.feeds.own_receipts import OwnReceipt
from gateway.store.tables import Account, Post

WAITS: Final = literal_column(waits("posts.id"), Boolean)


@dataclass(frozen=True, slots=True)
class Counts:
    """What others did with an update, and whether the reader did. `likes`: reactions of any kind, one a person."""

    replies: int = 0
    repeats: int = 0
    likes: int = 0
    liked: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of an update. `digest`, `small`: SHA-256 of it and of a picture's small copy, in hex. `description`: what
    it shows, in its writer's words. `width`, `height`, `blurhash`: of a picture."""

    number: int
    name: str | None
    content_type: str
    digest: str
    small: str | None
    description: str | None
    width: int | None = None
    height: int | None = None
    blurhash: str | None = None

    @property
    def picture(self) -> bool:
        return self.content_type in PICTURES


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An update for one reader. `shown`: the original when it is a repeat, else the update itself; its `author` and
    `group`. `repeated_by`: who repeated it. `answers`: the handle of whom it answers. `receipt`: of own ones;
    `waits`: it has not left, so that its writer alone sees it."""

    post: Post
    author: Account
    group: Account | None
    shown: Post
    counts: Counts = field(default_factory=Counts)
    repeated_by: Account | None = None
    answers: str | None = None
    files: Sequence[ShownFile] = ()
    receipt: OwnReceipt | None = None
    waits: bool = False

    @property
    def id(self) -> int:
        return self.post.id


def load(session: Session, reader_id: int, post_ids: Sequence[int], *, receipts: bool = True) -> list[FeedItem]:
    """The items of these posts, in this order, without those that the reader may not read. `receipts`: what became of
    own ones is looked up, too."""
    if not post_ids:
        return []
    rows = {row.Post.id: row for row in session.execute(ITEMS, {"reader": reader_id, "posts": list(post_ids)})}
    shown = {_original_id(row): row.original or row.Post for row in rows.values()}
    counts = _counts(session, reader_id, list(shown))
    files = _files(session, [post.upload_id for post in shown.values() if post.upload_id])
    own = [post.id for post in shown.values() if post.author_id == reader_id] if receipts else []
    became = own_receipts.load(session, own)
    return [
        replace(
            _item(rows[each], counts),
            files=files.get(shown[_original_id(rows[each])].upload_id or 0, ()),
            receipt=became.get(_original_id(rows[each])),
        )
        for each in post_ids
        if each in rows
    ]


def _files(session: Session, upload_ids: Sequence[int]) -> dict[int, list[ShownFile]]:
    found: dict[int, list[ShownFile]] = {}
    for row in session.execute(FILES, {"uploads": list(upload_ids)}) if upload_ids else ():
        small = row.small_sha256.hex() if row.small_sha256 else None
        file = ShownFile(
            row.number, row.name, row.content_type, row.sha256.hex(), small, row.description, row.width, row.height,
            row.blurhash,
        )  # fmt: skip
        found.setdefault(row.upload_id, []).append(file)
    return found


def _item(row: Any, counts: Mapping[int, Counts]) -> FeedItem:
    own = counts.get(_original_id(row), Counts())
    if row.original is not None:
        place = row.first_author, row.first_group, row.original
        return FeedItem(row.Post, *place, own, row.author, row.answers, waits=row.waits)
    return FeedItem(row.Post, row.author, row.in_group, row.Post, own, None, row.answers, waits=row.waits)


def _original_id(row: Any) -> int:
    return int(row.Post.repeat_of or row.Post.id)


def _counts(session: Session, reader_id: int, post_ids: Sequence[int]) -> dict[int, Counts]:
    rows = session.execute(COUNTS, {"posts": list(post_ids), "reader": reader_id})
    return {row.id: Counts(row.replies, row.repeats, row.likes, row.liked, row.repeated) for row in rows}


def _items() -> Select[Post, Account, Account, Post, Account, Account, str, bool]:
    group, original = aliased(Account, name="in_group"), aliased(Post, name="original")
    author, wrote = aliased(Account, name="author"), aliased(Account, name="first_author")
    there, parent, answered = aliased(Account, name="first_group"), aliased(Post), aliased(Account)
    return (
        select(Post, author, group, original, wrote, there, answered.handle.label("answers"), WAITS.label("waits"))
        .join(author, author.id == Post.author_id)
        .outerjoin(group, group.id == Post.group_id)
        .outerjoin(original, original.id == Post.repeat_of)
        .outerjoin(wrote, wrote.id == original.author_id)
        .outerjoin(there, there.id == original.group_id)
        .outerjoin(parent, parent.id == Post.in_reply_to)
        .outerjoin(answered, answered.id == parent.author_id)
        .where(Post.id == any_(bindparam("posts", type_=ARRAY(BigInteger))), readable_by(bindparam("reader")))
        .where(or_(Post.author_id == bindparam("reader"), not_(WAITS)))
    )


ITEMS: Final = _items()
FILES: Final = text("""
    SELECT upload_id, number, name, content_type, sha256, small_sha256, description, width, height, blurhash
    FROM media
    WHERE upload_id = ANY (CAST(:uploads AS bigint[])) AND state = 'fetched' AND sha256 IS NOT NULL
    ORDER BY upload_id, number
""")
# A private answer is nobody else's business, so it is not counted.
COUNTS: Final = text("""
    SELECT p.id,
           (SELECT count(*) FROM posts r WHERE r.in_reply_to = p.id AND r.deleted_at IS NULL
                AND r.visibility <> 'direct') AS replies,
           (SELECT count(*) FROM posts r WHERE r.repeat_of = p.id AND r.deleted_at IS NULL) AS repeats,
           (SELECT count(DISTINCT account_id) FROM reactions r WHERE r.post_id = p.id) AS likes,
           EXISTS (SELECT FROM reactions r WHERE r.post_id = p.id AND r.account_id = :reader) AS liked,
           EXISTS (SELECT FROM posts r WHERE r.repeat_of = p.id AND r.author_id = :reader
                AND r.deleted_at IS NULL) AS repeated
    FROM unnest(CAST(:posts AS bigint[])) AS p (id)
""")
