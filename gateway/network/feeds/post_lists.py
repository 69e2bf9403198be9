"""Lists of updates by ranges of ids, as apps ask for them: newer or older than an id, or the next ones above it. Each
is built once, in both directions, for the rule who may read takes milliseconds to write as SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Label,
    Select,
    Text,
    TextClause,
    bindparam,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.network.audience.visibility import readable_by
from gateway.network.feeds import feed_items, source_lists
from gateway.network.feeds.feed_items import WAITS, FeedItem
from gateway.network.feeds.feeds import NEWEST, NOT_PRIVATE, WITH_PICTURE
from gateway.store.id_range import IdRange
from gateway.store.tables import Bookmark, PinnedPost, Post, Reaction, Tag
from gateway.store.views import another_silence

READER: Final = bindparam("reader", type_=BigInteger)
ACCOUNT: Final = bindparam("account", type_=BigInteger)


@dataclass(frozen=True, slots=True)
class ListedPosts:
    """The newest first. `more`: there may be others beyond the end at which it was cut."""

    items: Sequence[FeedItem]
    more: bool


@dataclass(frozen=True, slots=True)
class PostList:
    """A list in both directions. Each statement takes :reader, :above, :below and what the list is of."""

    newest_first: Select[int, bool, bool] | TextClause
    oldest_first: Select[int, bool, bool] | TextClause


def page(session: Session, of: PostList, reader_id: int, asked: IdRange, **given: Any) -> ListedPosts:
    """The items of this page, as far as the reader may read them."""
    rows = session.execute(_direction(of, asked), _bounds(reader_id, asked) | given).all()
    ids = [row.post for row in rows[: asked.limit] if row.shown]
    more = len(rows) > asked.limit or (bool(rows) and rows[0].more)
    items = feed_items.load(session, reader_id, asked.newest_first(ids), receipts=False)
    return ListedPosts(items, more)


def _direction(of: PostList, asked: IdRange) -> Select[int, bool, bool] | TextClause:
    return of.newest_first if asked.next_above is None else of.oldest_first


def _bounds(reader_id: int, asked: IdRange) -> dict[str, int]:
    """Some more than asked for, so that it is known whether others follow, also when some may not be read."""
    above = max(asked.above or 0, asked.next_above or 0)
    below = asked.below if asked.below is not None else NEWEST
    return {"reader": reader_id, "above": above, "below": below, "most": asked.limit + 1, "depth": asked.limit + 1}


def _list(*of: ColumnElement[bool]) -> PostList:
    seen = or_(Post.author_id == READER, not_(WAITS))
    ids = select(Post.id.label("post"), _constant("false", "more"), _constant("true", "shown")).where(
        Post.id > bindparam("above", type_=BigInteger), Post.id < bindparam("below", type_=BigInteger),
        readable_by(READER), seen, *of,
    )  # fmt: skip
    most = bindparam("most", type_=BigInteger)
    return PostList(ids.order_by(Post.id.desc()).limit(most), ids.order_by(Post.id).limit(most))


def _constant(value: str, name: str) -> Label[bool]:
    return literal_column(value, Boolean).label(name)


def _off(flag: str) -> ColumnElement[bool]:
    """As a condition: what this parameter would leave out is not left out."""
    return not_(bindparam(flag, type_=Boolean))


def _tagged(name: str) -> Select[int]:
    return select(Tag.post_id).where(Tag.tag.in_(bindparam(name, expanding=True, type_=Text)))


_SILENCE: Final = another_silence()
HEARD: Final = not_(exists().where(_SILENCE.account_id == READER, _SILENCE.other_id == Post.author_id))
ORIGINAL: Final = Post.repeat_of.is_(None)
WITHOUT_REPLIES: Final = or_(_off("exclude_replies"), Post.in_reply_to.is_(None))
WITHOUT_REPEATS: Final = or_(_off("exclude_reblogs"), ORIGINAL)
MEDIA: Final = or_(_off("only_media"), WITH_PICTURE)
WITH_TAG: Final = or_(_off("by_tag"), Post.id.in_(_tagged("tagged")))
EVERY_TAG: Final = select(func.count()).where(
    Tag.post_id == Post.id, Tag.tag.in_(bindparam("all", expanding=True, type_=Text))
)

HOME: Final = PostList(source_lists.newest_first(source_lists.OF_HOME), source_lists.oldest_first(source_lists.OF_HOME))
# Of the list with the id :list.
OF_LIST: Final = PostList(
    source_lists.newest_first(source_lists.OF_LIST), source_lists.oldest_first(source_lists.OF_LIST)
)
# All others take :only_media, whether those without a file are left out.
EVERYONE: Final = _list(visibility.open_post(), ORIGINAL, HEARD, MEDIA)
# With one of :any, each of :all (:number different ones), and without those of :none.
TAGGED: Final = _list(
    Post.id.in_(_tagged("any")), Post.id.not_in(_tagged("none")),
    EVERY_TAG.scalar_subquery() == bindparam("number", type_=BigInteger), NOT_PRIVATE, HEARD, MEDIA,
)  # fmt: skip
# By the person :account, or in that group; :exclude_replies, :exclude_reblogs; with :by_tag those alone that have one
# of :tagged.
BY_PERSON: Final = _list(
    Post.author_id == ACCOUNT, NOT_PRIVATE, WITHOUT_REPLIES, WITHOUT_REPEATS, MEDIA, WITH_TAG
)  # fmt: skip
IN_GROUP: Final = _list(Post.group_id == ACCOUNT, NOT_PRIVATE, WITHOUT_REPLIES, MEDIA, WITH_TAG)
_PINNED: Final = select(PinnedPost.post_id).where(PinnedPost.account_id == ACCOUNT)
PINNED: Final = _list(Post.author_id == ACCOUNT, NOT_PRIVATE, Post.id.in_(_PINNED))
# What the reader likes, and what they marked.
LIKED: Final = _list(Post.id.in_(select(Reaction.post_id).where(Reaction.account_id == READER)))
MARKED: Final = _list(Post.id.in_(select(Bookmark.post_id).where(Bookmark.account_id == READER)))
