"""Following a #tag: what everyone may read with that tag is delivered like the posts of a person one follows. In
fan-outs, deliveries and unsubscribe tokens a topic's id is used like an account's."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import and_, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.network.follows.follows import DAYS
from gateway.store.tables import Post, Tag, Topic, TopicFollow
from gateway.store.views import TopicFollowInForce


def canonical(tag: str) -> str:
    """The form in which topics and tags keep it: case-folded, without #."""
    return tag.lstrip("#").casefold()


def follow(
    session: Session, follower_id: int, tag: str, by_text: bool, expires_at: datetime | None = None
) -> tuple[int, Literal["followed", "already"]]:
    """Makes them follow the tag; it comes as usual. "already": at most the end of the follow changed. It never takes
    texts away."""
    topic_id = _topic(session, canonical(tag))
    before = _mine(session, follower_id, topic_id)
    same = before is not None and before.by_text >= by_text and before.way is None
    put(session, follower_id, topic_id, by_text or bool(before and before.by_text), expires_at)
    return topic_id, "already" if same else "followed"


def put(
    session: Session,
    follower_id: int,
    topic_id: int,
    by_text: bool,
    expires_at: datetime | None,
    way: str | None = None,
) -> None:
    """Has them follow the topic in exactly this way."""
    wanted = {"by_text": by_text, "expires_at": expires_at, "way": way}
    row = insert(TopicFollow).values(follower_id=follower_id, topic_id=topic_id, **wanted)
    session.execute(row.on_conflict_do_update(index_elements=["follower_id", "topic_id"], set_=wanted))


def standing(session: Session, follower_id: int, tag: str) -> TopicFollow | None:
    """The follow of a tag, while it is in force."""
    topic_id = session.scalar(select(Topic.id).where(Topic.tag == canonical(tag)))
    return _mine(session, follower_id, topic_id) if topic_id else None


def _mine(session: Session, follower_id: int, topic_id: int) -> TopicFollow | None:
    mine = TopicFollowInForce.follower_id == follower_id, TopicFollowInForce.topic_id == topic_id
    one = select(TopicFollowInForce).where(*mine).execution_options(populate_existing=True)
    found: TopicFollow | None = session.scalars(one).one_or_none()
    if found is not None:
        session.expunge(found)
    return found


def _topic(session: Session, tag: str) -> int:
    session.execute(insert(Topic).values(tag=tag).on_conflict_do_nothing())
    return session.scalars(select(Topic.id).where(Topic.tag == tag)).one()


def unfollow(session: Session, follower_id: int, tag: str) -> TopicFollow | None:
    """Ends the follow of a tag. Returns the row as it was, for `undo`; None when there was none."""
    topic_id = select(Topic.id).where(Topic.tag == canonical(tag)).scalar_subquery()
    gone = delete(TopicFollow).where(TopicFollow.follower_id == follower_id, TopicFollow.topic_id == topic_id)
    return session.scalars(gone.returning(TopicFollow)).one_or_none()


def leave(session: Session, follower_id: int, topic_id: int) -> TopicFollow | None:
    """Ends the follow of a topic by its id. Returns the row as it was; None when there was none."""
    gone = delete(TopicFollow).where(TopicFollow.follower_id == follower_id, TopicFollow.topic_id == topic_id)
    return session.scalars(gone.returning(TopicFollow)).one_or_none()


def following(session: Session, follower_id: int) -> Sequence[str]:
    """The tags somebody follows."""
    mine = select(Topic.tag).join(TopicFollowInForce, TopicFollowInForce.topic_id == Topic.id)
    return session.scalars(mine.where(TopicFollowInForce.follower_id == follower_id).order_by(Topic.tag)).all()


def find_followed(session: Session, tags: Collection[str]) -> list[int]:
    """Those topics of these tags that anybody follows now."""
    anybody = exists().where(TopicFollowInForce.topic_id == Topic.id)
    return list(session.scalars(select(Topic.id).where(Topic.tag.in_(tags), anybody).order_by(Topic.id)))


def since(session: Session, follower_id: int, topic_id: int) -> datetime | None:
    """When a follow that is in force began."""
    mine = TopicFollowInForce.follower_id == follower_id, TopicFollowInForce.topic_id == topic_id
    return session.scalar(select(TopicFollowInForce.created_at).where(*mine))


def tag_of(session: Session, topic_id: int) -> str | None:
    return session.scalar(select(Topic.tag).where(Topic.id == topic_id))


def per_day(session: Session, tag: str) -> float:
    """How many items a day that anyone may read had the tag in the last two weeks; it is told to whoever asks."""
    since = func.id_at(func.now() - func.make_interval(0, 0, 0, DAYS))
    open_to_all = and_(visibility.open_post(), Post.deleted_at.is_(None), Post.id >= since)
    tagged = select(func.count()).select_from(Post).join(Tag, Tag.post_id == Post.id)
    return (session.scalar(tagged.where(Tag.tag == canonical(tag), open_to_all)) or 0) / DAYS
