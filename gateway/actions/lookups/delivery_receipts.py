"""How an update went out. Only its author is told, and of posts to a group its owners."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.calls import calls, questions
from gateway.network.calls.calls import CallTally
from gateway.network.calls.questions import Given
from gateway.network.receipts import likes, receipts
from gateway.network.receipts.receipts import MissedReader, ReaderReceipt, ReceiptTally
from gateway.store.tables import Account, Call, Post


@dataclass(frozen=True, slots=True)
class CallState:
    """`group`: the handle of whose followers are asked; `answers`: to a question, for its asker alone."""

    call: Call
    tally: CallTally
    group: str
    answers: Sequence[Given] = ()


@dataclass(frozen=True, slots=True)
class PostReceipts:
    """The counts of a post, the first of those who missed it, and how many like it. `call`: how the call stands that
    it is."""

    post: Post
    tally: ReceiptTally
    missed: Sequence[MissedReader]
    likes: int
    call: CallState | None = None


def who_got(
    session: Session, actor: Actor, shown: int, group: NamedAccount | None = None, tag: str | None = None
) -> PostReceipts:  # fmt: skip
    """Of the actor's last update, or of the last one in that group or with that tag. `shown`: how many of those who
    missed it are named."""
    post = _asked_about(session, actor, group, tag)
    missed = receipts.list_missed(session, post.id, actor.account.zone_now, shown)
    tally, liked = receipts.tally(session, post.id), likes.people(session, post.id)
    return PostReceipts(post, tally, missed, liked, _call(session, actor, post))


def _call(session: Session, actor: Actor, post: Post) -> CallState | None:
    """The owners of a group see the receipts of what others ask there, and not the answers."""
    call = session.get(Call, post.id) if post.call else None
    if call is None or (call.kind == "ask" and call.asker_id != actor.account.id):
        return None
    group = session.get_one(Account, call.group_id)
    given = questions.list_given(session, post.id) if call.kind == "ask" else ()
    return CallState(call, calls.tally(session, post.id), group.handle, given)


def has_got(session: Session, actor: Actor, person: NamedAccount) -> tuple[Post, ReaderReceipt | None]:
    """Whether somebody has the actor's last update; None when it was not for them."""
    post = _asked_about(session, actor)
    return post, receipts.of_person(session, post.id, person.id, actor.account.zone_now)


def _asked_about(
    session: Session, actor: Actor, group: NamedAccount | None = None, tag: str | None = None
) -> Post:  # fmt: skip
    post = receipts.asked_about(session, actor.account.id, group_id=group.id if group else None, tag=tag)
    if post is None:
        raise refusal("no_update_of_yours")
    return post
