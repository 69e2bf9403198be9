"""Questions to a group: answers come privately, and one summary goes to the asker and to all who answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from gateway.actions import posting
from gateway.actions.model.actor import Actor
from gateway.actions.model.private_words import confirm_repeat
from gateway.actions.model.undo_result import Undone
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.language.words.normalize import clean
from gateway.network.audience import visibility
from gateway.network.calls import calls, questions
from gateway.network.people import accounts
from gateway.network.posts.posts import NewPost
from gateway.network.receipts import question_reports
from gateway.store.tables import Account, Effect

LONGEST = 2_000  # characters of an answer, which may come by mail


@dataclass(frozen=True, slots=True)
class AskedGroup:
    post_id: int
    group: str
    people: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """`replaced`: when the answer was given that it replaces."""

    state: Literal["noted", "late"]
    asker: str
    ends_at: datetime
    replaced: datetime | None = None


def ask_group(session: Session, actor: Actor, group: NamedAccount, text: str) -> AskedGroup:
    """An ordinary post, which comes as each of its readers wants posts of that group; it says how to answer
    (network/calls/call_words)."""
    place = posting.active_group(session, group.id)
    posted = posting.post_to_groups(session, actor, [place.id], text)
    call = questions.begin(session, posted.post_id, actor.account.id, place.id)
    people = questions.count_asked(session, posted.post_id)
    if not people:
        raise refusal("nobody_but_you")
    return AskedGroup(posted.post_id, place.handle, people, call.ends_at)


def answer_question(session: Session, actor: Actor, post_id: int, text: str) -> AnsweredQuestion:
    """Keeps the answer; a newer one takes its place. After the summary it goes to the asker alone."""
    call, words = calls.lock(session, post_id), clean(text).strip()
    if call is None or call.kind != "ask" or call.ending == "undone":
        raise refusal("nothing_to_answer")
    if not visibility.may_read(session, actor.account.id, post_id) or call.asker_id == actor.account.id:
        raise refusal("nothing_to_answer")
    if not words:
        raise refusal("empty")
    if len(words) > LONGEST:
        raise refusal("too_long", number=len(words), most=LONGEST)
    group = accounts.by_id(session, call.group_id)
    confirm_repeat(session, actor, NewPost(actor.account, words, "group", actor.door, group))
    done = questions.answer(session, call, actor.account.id, words, actor.inbound_id)
    actor.did("answer", post_id, before=done.words)
    if done.state == "late":
        actor.queues |= question_reports.tell_late(session, call, actor.account, words)
    asker = session.get_one(Account, call.asker_id)
    return AnsweredQuestion(done.state, asker.name, call.ends_at, done.before)


def undo_answer(session: Session, actor: Actor, effect: Effect) -> Undone:
    """Before the summary alone: the answer before it counts again, if there was one."""
    call = calls.lock(session, effect.subject_id or 0)
    if call is None or call.ended_at is not None:
        raise refusal("answer_was_sent")
    before = effect.detail.get("before")
    if before is None:
        questions.take_back(session, call, actor.account.id)
    else:
        questions.answer(session, call, actor.account.id, before, actor.inbound_id)
    return Undone("answer_taken_back")
