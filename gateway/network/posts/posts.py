"""Publishing: the post, its files and mentions, its one message and its fan-outs, in one transaction. Every door uses
it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.i18n.refusals import refusal
from gateway.language import nanoformats
from gateway.ledger.inbox import media
from gateway.ledger.outbox import cancellations, publications
from gateway.network.audience import private_repeats
from gateway.network.audience import visibility as audience
from gateway.network.calls import calls
from gateway.network.follows import tag_follows, trackers
from gateway.network.posts import rendering
from gateway.store.tables import Account, Fanout, Mention, Post, PostRecipient, Reaction, Tag, Upload

NOW = timedelta(0)
PRIVATE, PUBLIC = 1, 5  # priorities: a private message is sent before an update
LONGEST = 20_000  # characters; a mail may be long, and its text message has a link


@dataclass(frozen=True, slots=True)
class NewPost:
    """What somebody wants to say, and to whom. `recipients`: (person, whom the writer named) of a direct post; `also`:
    further open groups of the same mail; `followers`: the author's own followers get it beside the groups; `repeats`:
    the post that this one passes on, word for word; `upload_id`: whose files it shows, when they did not come with
    its inbound; `sources`: whose followers get it, once that has been looked up; `asks_again`: how its message reads
    when it puts a question to few people that its author has put to everyone, so that its words are no secret."""

    author: Account
    text: str
    visibility: str
    via: str
    group: Account | None = None
    also: Collection[Account] = ()
    followers: bool = False
    recipients: Collection[tuple[int, int]] = ()
    in_reply_to: int | None = None
    inbound_id: int | None = None
    hold: timedelta = NOW
    repeats: Post | None = None
    upload_id: int | None = None
    sources: Sequence[int] | None = None
    asks_again: rendering.Rendered | None = None


def publish(session: Session, words: NewPost) -> Post:
    """Writes the post and queues its fan-outs. Returns the row as it was written, not attached to the session. Raises
    Refused when the author may not post there or has said nothing."""
    found = _found(words)
    _check(session, words, found.text)
    post = Post(
        author_id=words.author.id,
        group_id=words.group.id if words.group else None,
        in_reply_to=words.in_reply_to,
        repeat_of=words.repeats.id if words.repeats else None,
        visibility=words.visibility,
        text=found.text,
        lang=found.lang,
        via=words.via,
        inbound_id=words.inbound_id,
    )
    shows = words.repeats.upload_id if words.repeats else words.upload_id or words.inbound_id
    post.id, types = session.execute(PUBLISH, _values(session, post, words) | {"upload": shows}).one()
    if types:
        _show(session, post, shows, types)
    _hang(session, post, words, found)
    return post


def _found(words: NewPost) -> nanoformats.Nanoformats:
    """The people and tags in the words. A repeat does not name anybody again."""
    if words.repeats:
        return nanoformats.Nanoformats(words.text, lang=words.repeats.lang)
    return nanoformats.parse(words.text)


def _values(session: Session, post: Post, words: NewPost) -> dict[str, Any]:
    headline = _headline(session, post.in_reply_to)
    rendered = words.asks_again or rendering.of_post(
        words.author, words.group, post, headline, origin(session, words.repeats)
    )
    return {
        "author": post.author_id,
        "group": post.group_id,
        "parent": post.in_reply_to,
        "repeated": post.repeat_of,
        "visibility": post.visibility,
        "words": post.text,
        "lang": post.lang,
        "via": post.via,
        "inbound": post.inbound_id,
        "priority": PRIVATE if post.visibility == "direct" else PUBLIC,
        "text": rendered.text,
        "subject": rendered.subject,
        "body": rendered.body,
        "sources": sources(session, words),
        "hold": words.hold,
    }


def origin(session: Session, post: Post | None) -> rendering.RepeatOrigin | None:
    """Who wrote what this post repeats, and in which group."""
    if post is None:
        return None
    group = session.get(Account, post.group_id) if post.group_id else None
    return rendering.RepeatOrigin(session.get_one(Account, post.author_id), group)


# One statement, because every update that comes in makes these rows.
PUBLISH: Final = publications.publication(
    """INSERT INTO posts (author_id, group_id, in_reply_to, repeat_of, visibility, text, lang, via, inbound_id)
       VALUES (:author, :group, :parent, :repeated, :visibility, :words, :lang, :via, :inbound) RETURNING id""",
    "SELECT id, (SELECT array_agg(content_type) FROM media WHERE upload_id = :upload) FROM post",
)


def _show(session: Session, post: Post, upload_id: int | None, types: Sequence[str | None]) -> None:
    post.upload_id, post.attached = upload_id, media.describe_kind(types)
    came_with = select(Upload.inbound_id).where(Upload.id == upload_id).scalar_subquery()
    shown = update(Post).where(Post.id == post.id)
    session.execute(shown.values(upload_id=upload_id, pictures_of=came_with, attached=post.attached))


def _check(session: Session, words: NewPost, said: str) -> None:
    if not said.strip():
        raise refusal("empty")
    if len(said) > LONGEST:
        raise refusal("too_long", number=len(said), most=LONGEST)
    for group in [words.group, *words.also]:
        if group and words.visibility != "direct" and not audience.may_post(session, words.author.id, group):
            raise refusal("not_member" if group.access == "closed" else "not_poster", handle=group.handle)


def _hang(session: Session, post: Post, words: NewPost, found: nanoformats.Nanoformats) -> None:
    if words.recipients:
        rows = [{"post_id": post.id, "account_id": person, "named_id": named} for person, named in words.recipients]
        session.execute(insert(PostRecipient).on_conflict_do_nothing(), rows)
    name_and_tag(session, post, found)
    private = words.visibility == "direct" or (words.group and words.group.access == "closed")
    if private and not words.asks_again:
        private_repeats.keep(session, post.id, post.text)


def name_and_tag(session: Session, post: Post, found: nanoformats.Nanoformats) -> None:
    """Stores the people and the #tags that words of this post name."""
    mentioned = _mentioned(session, post, found.mentions)
    if mentioned:
        rows = [{"post_id": post.id, "account_id": account} for account in mentioned]
        session.execute(insert(Mention).on_conflict_do_nothing(), rows)
    if found.tags:
        session.execute(insert(Tag).on_conflict_do_nothing(), [{"post_id": post.id, "tag": tag} for tag in found.tags])


def _mentioned(session: Session, post: Post, handles: Collection[str]) -> set[int]:
    """The people named in the text and the one it answers, as far as they may read it."""
    named = select(Account.id).where(Account.handle.in_(handles), Account.kind == "person")
    accounts = set(session.scalars(named)) if handles else set()
    if post.in_reply_to and post.visibility != "direct":
        accounts |= set(session.scalars(select(Post.author_id).where(Post.id == post.in_reply_to)))
    accounts.discard(post.author_id)
    return audience.readers_among(session, post.id, accounts) if accounts else set()


def mentioned_in(session: Session, words: NewPost) -> list[int]:
    """The people whom words that are not posted yet name, or answer, as far as they may read them."""
    handles = _found(words).mentions
    named = select(Account.id).where(Account.handle.in_(handles), Account.kind == "person")
    people = set(session.scalars(named)) if handles and words.visibility != "direct" else set()
    if words.in_reply_to and words.visibility != "direct":
        people |= set(session.scalars(select(Post.author_id).where(Post.id == words.in_reply_to)))
    people.discard(words.author.id)
    if people and words.group and words.group.access == "closed":
        members = select(Account.id).where(Account.id.in_(people), audience.following(Account.id, words.group.id))
        return sorted(session.scalars(members))
    return sorted(people)


def sources(session: Session, words: NewPost) -> list[int]:
    """Whose followers get it: those of the groups, else the author's, and those of its #tags and of words in it when
    everyone may read it; 0 for a direct post, which has no followers."""
    if words.sources is not None:
        return list(words.sources)
    if words.visibility == "direct":
        return [0]
    groups = [words.group, *words.also] if words.group else []
    own = [words.author.id] if words.followers or not groups else []
    public = all(group.access in audience.OPEN_TO_ALL for group in groups) and not words.repeats
    by_words = sources_by_words(session, words.author.id, words.text) if public else []
    return [*(group.id for group in groups), *own, *by_words]


def sources_by_words(session: Session, author_id: int, words: str) -> list[int]:
    """The topics and tracks that bring words which everyone may read to somebody. Never ask it for others."""
    found = nanoformats.parse(words)
    topics = tag_follows.find_followed(session, found.tags) if found.tags else []
    return [*topics, *trackers.heard(session, author_id, found.text)]


def _headline(session: Session, post_id: int | None) -> str | None:
    """The subject of the thread, so that mails of one thread are shown together in every mailbox."""
    return session.scalar(HEADLINE, {"post": post_id}) if post_id else None


# The words of the first post are the subject of all posts below it, until one in between was retracted.
HEADLINE: Final = text("""
    WITH RECURSIVE above AS (
        SELECT id, in_reply_to, deleted_at FROM posts WHERE id = :post
        UNION ALL
        SELECT parent.id, parent.in_reply_to, parent.deleted_at
        FROM above JOIN posts parent ON parent.id = above.in_reply_to
    )
    SELECT subject FROM messages
    WHERE post_id = :post AND NOT EXISTS (SELECT FROM above WHERE deleted_at IS NOT NULL) ORDER BY id LIMIT 1
""")


def retract(session: Session, post: Post) -> tuple[int, int]:
    """Takes a post and its repeats back: (sends stopped, sends already on their way). Nothing more of it is sent."""
    taken = update(Post).where(or_(Post.id == post.id, Post.repeat_of == post.id))
    gone_posts = session.scalars(taken.values(deleted_at=func.now()).returning(Post.id)).all()
    if post.call:
        calls.end_of_posts(session, [post.id])
    return cancellations.cancel_posts(session, gone_posts)


def original(post: Post) -> int:
    """The post that a reaction counts for: a repeat has its reactions at the original."""
    return post.repeat_of or post.id


def written_first_by(session: Session, post: Post) -> Post | None:
    """The original of a repeat; any other post itself. Replies go to that one."""
    return session.get(Post, original(post)) if post.repeat_of else post


def is_spreading(session: Session, post_id: int) -> bool:
    """Whether its fan-out has not reached everyone yet."""
    waiting = exists().where(Fanout.post_id == post_id, Fanout.state == "waiting")
    return bool(session.scalar(select(waiting)))


def repeated_by(session: Session, account_id: int, post_id: int) -> bool:
    """Whether this person repeated it, and did not take that back."""
    return find_repeat(session, account_id, post_id) is not None


def find_repeat(session: Session, account_id: int, post_id: int) -> int | None:
    """The id of their repeat of it; None without one, and once it was taken back."""
    mine = select(Post.id).where(Post.repeat_of == post_id, Post.author_id == account_id, Post.deleted_at.is_(None))
    return session.scalar(mine.order_by(Post.id.desc()).limit(1))


def react(session: Session, account_id: int, post_id: int, kind: str) -> bool:
    """Stores a reaction once; False when it exists already or the post may not be read."""
    if not audience.may_read(session, account_id, post_id):
        return False
    row = insert(Reaction).values(post_id=post_id, account_id=account_id, kind=kind).on_conflict_do_nothing()
    return session.execute(row.returning(Reaction.kind)).first() is not None


def unreact(session: Session, account_id: int, post_id: int, kind: str) -> bool:
    """Takes a reaction back; False when there was none."""
    mine = delete(Reaction).where(Reaction.post_id == post_id, Reaction.account_id == account_id, Reaction.kind == kind)
    return session.execute(mine.returning(Reaction.kind)).first() is not None


def reactions_of(session: Session, account_id: int, post_id: int) -> Sequence[str]:
    """The kinds of one person's reactions to a post."""
    mine = select(Reaction.kind).where(Reaction.post_id == post_id, Reaction.account_id == account_id)
    return session.scalars(mine).all()


def reaction_counts(session: Session, post_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """How many people reacted to each of these posts, by kind, the most frequent first; those without are left out."""
    many = func.count().label("many")
    rows = select(Reaction.post_id, Reaction.kind, many).where(Reaction.post_id.in_(post_ids))
    found: dict[int, dict[str, int]] = {}
    for post_id, kind, count in session.execute(rows.group_by(Reaction.post_id, Reaction.kind).order_by(many.desc())):
        found.setdefault(post_id, {})[kind] = count
    return found
