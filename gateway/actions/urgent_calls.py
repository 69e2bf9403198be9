"""Urgent calls: who posts in a group tells all who follow it at any hour, and each of them acknowledges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy.orm import Session

from gateway.actions import posting
from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import PROOF, REACH, ConfirmationRequired
from gateway.actions.model.undo_result import Undone
from gateway.channels import NAMES, SMS
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.audience import visibility
from gateway.network.calls import call_people, call_words, calls
from gateway.network.calls.call_people import AskedPerson
from gateway.network.follows import follows
from gateway.network.people import accounts
from gateway.network.posts import rendering
from gateway.network.posts.posts import NewPost
from gateway.network.receipts import call_reports, question_reports
from gateway.store.tables import Account, Call, Effect, Post

TAG = "k7"  # what may come after each text


@dataclass(frozen=True, slots=True)
class UrgentReach:
    """What is asked before an urgent call is sent: `people` are asked, `asleep` of them at night; `parts`: about."""

    people: int
    asleep: int
    parts: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class SentCall:
    """`told`: how many are asked. `unreached`: (name, why) of those whom nothing reaches."""

    post_id: int
    group: str
    told: int
    unreached: tuple[tuple[str, str], ...]
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """`at`: when the answer counts, or `ended_at`, when it is late or the call was taken back. `words`: went to the
    asker alone."""

    state: Literal["noted", "already", "late", "undone"]
    asker: str
    group: str
    at: datetime
    ended_at: datetime | None
    words: str = ""


def send_urgent(session: Session, actor: Actor, group: NamedAccount, text: str) -> SentCall:
    """It is proved and priced in one question, from every door: it wakes people, and a sender can be forged."""
    place = _group(session, actor, group)
    people = call_people.find(session, place.id, actor.account.id)
    reached = [one for one in people if one.gone is None]
    if not reached:
        raise refusal("nobody_but_you")
    if not {PROOF, REACH} <= actor.confirmed:
        raise ConfirmationRequired(
            "urgent_call", PROOF, REACH, group=place.handle, reach=_reach(session, actor, reached, place, text)
        )
    words = NewPost(
        actor.account, text, "group", actor.door, place, inbound_id=actor.inbound_id, sources=(place.id,)
    )  # fmt: skip
    post = posting.publish(session, actor, words)
    call = calls.begin_rollcall(session, post.id, actor.account.id, place.id)
    actor.queues |= {*NAMES}
    unreached = tuple((one.name, one.gone) for one in people if one.gone is not None)
    return SentCall(post.id, place.handle, len(reached), unreached, call.ends_at)


def _group(session: Session, actor: Actor, named: NamedAccount) -> Account:
    """Raises Refused unless an operator lets the group send urgent calls, and the actor posts there."""
    group = posting.active_group(session, named.id)
    if not group.may_urge:
        raise refusal("may_not_urge", handle=group.handle)
    if follows.role_in(session, actor.account.id, group.id) not in ("owner", "poster"):
        raise refusal("urgent_by_posters", handle=group.handle)
    return group


def _reach(session: Session, actor: Actor, people: Sequence[AskedPerson], group: Account, text: str) -> UrgentReach:
    by_country = call_people.phones(people)
    words = call_words.of_urgent(SMS, actor.account.language)
    whole = f"{words.before}{actor.account.name} #{group.handle}: {text}{words.after}"
    each = rendering.fit_for_phone(whole, TAG, actor.settings.public_url).segments
    cost = sum((number * each * actor.settings.price_of(one) for one, number in by_country.items()), Decimal(0))
    asleep = call_people.asleep(session, people)
    return UrgentReach(len(people), asleep, by_country.total() * each, cost.quantize(Decimal("0.01")))


def acknowledge(session: Session, actor: Actor, post_id: int, words: str = "") -> Acknowledged:
    """Answers an urgent call: by OK, or by words, which its asker alone gets at once. It is done once; words are passed
    on each time."""
    call = calls.lock(session, post_id)
    answer = calls.answer(session, call, actor.account.id, actor.inbound_id) if call else None
    if call is None or answer is None:
        raise refusal("nothing_to_answer")
    if answer.state in ("noted", "late"):
        actor.did("acknowledge", post_id)
    if answer.state == "noted" and calls.all_answered(session, call):
        calls.end(session, call, "all")
        actor.queues |= call_reports.tell_end(session, call)
    if words and answer.state != "undone":
        _pass_on(session, actor, call, words)
    asker, group = (session.get_one(Account, each) for each in (call.asker_id, call.group_id))
    ended_at = call.ended_at if answer.state in ("late", "undone") else None
    return Acknowledged(answer.state, asker.name, group.handle, answer.at, ended_at, words)


def _pass_on(session: Session, actor: Actor, call: Call, words: str) -> None:
    """As a private message, so that it can be answered."""
    asker = accounts.by_id(session, call.asker_id)
    if asker is None or asker.state != "active":
        raise refusal("writer_left")
    parent = call.post_id if visibility.may_read(session, actor.account.id, call.post_id) else None
    private = NewPost(
        actor.account, words, "direct", actor.door, recipients=[(asker.id, asker.id)], in_reply_to=parent,
        inbound_id=actor.inbound_id,
    )  # fmt: skip
    posting.publish(session, actor, private)


def acknowledge_by_reaction(session: Session, actor: Actor, post_id: int) -> Acknowledged | None:
    """A thumbs-up is an OK, for whoever was asked; None for anybody else."""
    post = session.get(Post, post_id)
    if post is None or post.call != "rollcall" or not calls.is_asked(session, post_id, actor.account.id):
        return None
    return acknowledge(session, actor, post_id)


def undo_post(session: Session, actor: Actor, effect: Effect) -> Undone:
    """Takes a post back. A call ends with it, and those who had it are told."""
    call = calls.lock(session, effect.subject_id or 0)
    if call is None or call.ending == "undone":
        return posting.undo_post(session, actor, effect)
    if call.kind == "ask":
        return _undo_question(session, actor, effect, call)
    answered = calls.tally(session, call.post_id).answered
    calls.end(session, call, "undone")
    posting.undo_post(session, actor, effect)
    had = call_reports.who_had_it(session, call.post_id)
    actor.queues |= call_reports.tell_undone(session, call, had)
    group = session.get_one(Account, call.group_id)
    people = calls.count_people(session, [address_id for address_id, _, _ in had])
    return Undone("call_stopped", {"group": group.handle, "had": people, "answered": answered})


def _undo_question(session: Session, actor: Actor, effect: Effect, call: Call) -> Undone:
    """Those who have answered wait for a summary: they are told that there is none."""
    if call.ended_at is None:
        actor.queues |= question_reports.tell_taken_back(session, call)
    return posting.undo_post(session, actor, effect)
