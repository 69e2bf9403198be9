"""Plain updates and posts to groups: what all followers get."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, meaning
from gateway.language.fragments.part_marks import part
from gateway.language.words.normalize import clean
from gateway.ledger.inbox import media
from gateway.network.audience import visibility
from gateway.network.follows import last_effect
from gateway.network.people import accounts
from gateway.network.posts import posts, split_texts
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Account, Post
from handlers.price_confirmation import ask_price
from handlers.private_repeats import ask_if_private

UNHEARD = say(
    "Posted, but nobody follows you yet, so nobody got it. To reach somebody: @NAME text, #GROUP text, or d NAME text"
)
GROUP_GONE = say("That group is gone. Nothing was posted.")


@meaning("update")
def update(session: Session, turn: CommandContext) -> str | None:
    """It is not answered, unless nobody gets it or its writer wants each update confirmed."""
    if _joins(session, turn):
        return None
    return post_update(session, turn, turn.text)


def post_update(session: Session, turn: CommandContext, text: str) -> str | None:
    words = NewPost(turn.account, text, "company", turn.via, inbound_id=turn.inbound_id)
    post = publish(session, turn, words)
    if visibility.has_readers(session, post, posts.sources(session, words)):
        return _acknowledged(turn)
    return _tell_unheard(session, turn, turn.account.id, UNHEARD, say("Posted. Nobody follows you yet."))


def _tell_unheard(session: Session, turn: CommandContext, source_id: int, whole: str, short: str) -> str | None:
    """That nobody gets it is said once a week, and in a short form after a choice or to a writer who wants each
    confirmed."""
    if not last_effect.told_unheard(session, turn.account.id, source_id):
        note_unheard(turn, source_id)
        return whole
    return short if turn.account.ack or turn.pictures_of else None


def note_unheard(turn: CommandContext, source_id: int) -> None:
    """Notes in the post's own effect that its writer was told."""
    posted = next(effect for effect in reversed(turn.done) if effect.kind == "post")
    posted.detail = {**posted.detail, "unheard": source_id}


def _acknowledged(turn: CommandContext) -> str | None:
    """Whether the writer has `ack on` and so wants each update confirmed."""
    return say("Posted. To take it back: UNDO") if turn.account.ack else None


@meaning("group")
def group_post(session: Session, turn: CommandContext) -> str | None:
    if _joins(session, turn):
        return None
    groups = [_group(session, named.id) for named in turn.names if named.kind == "group"]
    to_followers = len(groups) < len(turn.names)  # a mail that went to everyone, too: its writer stands for them
    first, *others = groups
    if others and any(group.access == "closed" for group in groups):
        raise Refused(say("One message cannot go to a closed group and to others. Nothing was posted."))
    words = NewPost(
        turn.account, turn.text, "group", turn.via, first, others, followers=to_followers, inbound_id=turn.inbound_id
    )  # fmt: skip
    post = publish(session, turn, words)
    if visibility.has_readers(session, post, posts.sources(session, words)):
        return _acknowledged(turn)
    whole = say(
        "Posted to #{handle}, but nobody else gets it yet. Others join with: JOIN {handle!u}", handle=first.handle
    )
    return _tell_unheard(session, turn, first.id, whole, say("Posted to #{handle}.", handle=first.handle))


def _joins(session: Session, turn: CommandContext) -> bool:
    """Appends a later part of a text to the post that the first became, while nobody has got that yet."""
    post_id = turn.reading.post
    if not post_id or media.list_attached(session, turn.inbound_id):
        return False
    first = session.get(Post, post_id)
    if first:  # a part that repeats private words is asked about like a text of its own, with what it follows
        group = accounts.by_id(session, first.group_id) if first.group_id else None
        whole = f"{split_texts.without_mark(first.text)} {turn.text}"
        ask_if_private(session, turn, NewPost(turn.account, whole, first.visibility, turn.via, group))
    if not split_texts.append(session, turn.account, post_id, turn.text):
        return False
    turn.did("appended", post_id)
    return True


def publish(session: Session, turn: CommandContext, words: NewPost) -> Post:
    """Posts and records it, so that `undo` finds it. What repeats private words, and what goes to many phones, is asked
    about first. A part of a text waits for the others."""
    words = replace(words, pictures_of=turn.pictures_of)
    if part(clean(turn.said)):
        words = replace(words, hold=max(words.hold, timedelta(seconds=turn.world.settings.hold_seconds)))
    ask_if_private(session, turn, words)
    ask_price(session, turn, words)
    post = posts.publish(session, words)
    turn.did("post", post.id)
    return post


def _group(session: Session, account_id: int) -> Account:
    group = accounts.by_id(session, account_id)
    if group is None or group.state != "active":
        raise Refused(GROUP_GONE)
    return group
