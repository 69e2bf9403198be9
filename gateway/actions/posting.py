"""Plain updates and posts to groups: what all followers get; and taking a post back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from sqlalchemy.orm import Session

from gateway.actions import uploading
from gateway.actions.model import last_effect
from gateway.actions.model.actor import WEB, Actor
from gateway.actions.model.looks_private import confirm_public
from gateway.actions.model.private_words import confirm_repeat
from gateway.actions.model.undo_result import Undone
from gateway.actions.reach_estimate import ReachEstimate, confirm_reach, estimate
from gateway.i18n.refusals import refusal
from gateway.language.fragments.part_marks import part
from gateway.language.words.normalize import clean
from gateway.ledger.inbox import media
from gateway.network.audience import recipients
from gateway.network.conversation import offers
from gateway.network.people import accounts
from gateway.network.posts import continuations, posts
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Account, Effect, Post


@dataclass(frozen=True, slots=True)
class Posted:
    """`group`: the handle of the first group it went to. `unheard`: nobody gets it, and its writer hears that for the
    first time this week, or again. `reach`: whom it reaches and when, for writers who want each post confirmed."""

    post_id: int
    group: str | None = None
    unheard: Literal["first", "again"] | None = None
    reach: ReachEstimate | None = None


def post_update(session: Session, actor: Actor, text: str) -> Posted:
    words = NewPost(actor.account, text, "company", actor.door, inbound_id=actor.inbound_id)
    post = publish(session, actor, words)
    _note_question(session, actor, post, _hold(actor, words))
    return Posted(post.id, None, _unheard(session, actor, post, actor.account.id), _reach(session, actor, words))


def _note_question(session: Session, actor: Actor, post: Post, hold: timedelta) -> None:
    """Its author may be offered to ask people who wrote about it, once it has been spread."""
    if offers.schedule(session, post, hold) and not hold:
        actor.queues.add("offers")


def post_to_groups(
    session: Session, actor: Actor, group_ids: Sequence[int], text: str, *, followers: bool = False
) -> Posted:
    """`followers`: the writer's own followers get it, too. A message to a closed group goes nowhere else."""
    if not group_ids:
        raise refusal("group_gone")
    first, *others = [active_group(session, each) for each in dict.fromkeys(group_ids)]
    if others and any(group.access == "closed" for group in (first, *others)):
        raise refusal("closed_group_and_others")
    words = NewPost(
        actor.account, text, "group", actor.door, first, others, followers=followers, inbound_id=actor.inbound_id
    )  # fmt: skip
    post = publish(session, actor, words)
    return Posted(post.id, first.handle, _unheard(session, actor, post, first.id), _reach(session, actor, words))


def _reach(session: Session, actor: Actor, words: NewPost) -> ReachEstimate | None:
    """Nothing of it has been sent yet: this transaction has not committed."""
    return estimate(session, actor, words) if actor.account.ack else None


def _unheard(session: Session, actor: Actor, post: Post, source_id: int) -> Literal["first", "again"] | None:
    if recipients.has_readers(session, post):
        return None
    if last_effect.told_unheard(session, actor.account.id, source_id):
        return "again"
    posted = next(effect for effect in reversed(actor.effects) if effect.kind == "post")
    posted.detail["unheard"] = source_id  # so that it is said once a week
    return "first"


def append_part(session: Session, actor: Actor, post_id: int, text: str) -> bool:
    """Appends a later part of a text to the post that the first became, while nobody has got that yet. False when it
    must be posted by itself. A part that repeats private words is confirmed like a text of its own, with what it
    follows."""
    if media.list_attached(session, actor.inbound_id):
        return False
    if first := session.get(Post, post_id):
        group = accounts.by_id(session, first.group_id) if first.group_id else None
        whole = f"{continuations.without_mark(first.text)} {text}"
        confirm_repeat(session, actor, NewPost(actor.account, whole, first.visibility, actor.door, group))
    return append(session, actor, post_id, text)


def append(session: Session, actor: Actor, post_id: int, text: str) -> bool:
    """Appends the words while the post still waits; False when it has left."""
    if not continuations.append(session, actor.account, post_id, text):
        return False
    actor.did("appended", post_id)
    _note_question(session, actor, session.get_one(Post, post_id), timedelta(seconds=actor.settings.hold_seconds))
    return True


def publish(session: Session, actor: Actor, words: NewPost) -> Post:
    """Posts and records it, so that `undo` finds it. What looks private, what repeats private words, and what goes to
    many phones is confirmed first."""
    words = replace(words, text=clean(words.text), upload_id=uploading.attach(session, actor))
    words = replace(words, sources=posts.sources(session, words), hold=_hold(actor, words))
    confirm_public(session, actor, words)
    confirm_repeat(session, actor, words)
    confirm_reach(session, actor, words)
    post = posts.publish(session, words)
    actor.did("post", post.id)
    return post


def _hold(actor: Actor, words: NewPost) -> timedelta:
    """A part of a text waits for the others; what is written on a page waits, too, and can be taken back till then."""
    waits = actor.door == WEB or part(clean(actor.said))
    return max(words.hold, timedelta(seconds=actor.settings.hold_seconds)) if waits else words.hold


def active_group(session: Session, account_id: int) -> Account:
    group = accounts.by_id(session, account_id)
    if group is None or group.kind != "group" or group.state != "active":
        raise refusal("group_gone")
    return group


def undo_post(session: Session, actor: Actor, effect: Effect) -> Undone:
    """What has not left is recalled; what has left is shown as retracted. `stopped` and `gone`: how many deliveries
    were recalled, and how many had left."""
    post = session.get_one(Post, effect.subject_id)
    if post.deleted_at:
        raise refusal("undone_already")
    stopped, gone = posts.retract(session, post)
    facts = {"stopped": stopped, "gone": gone}
    return Undone("message_retracted" if post.visibility == "direct" else "post_retracted", facts)
