"""Requests to join a closed group: its owners are asked on their phones, and the first answer counts."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from gateway.actions.groups.membership import describe_removal, did, tell
from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import PROOF, ConfirmationRequired
from gateway.i18n.phrases import Phrase, say
from gateway.language.model.reading import NamedAccount
from gateway.network.conversation import conversations, notices, reply_limits
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.follows import follow_snapshot, follows, group_owners, reachability
from gateway.network.people import accounts
from gateway.store.tables import Account, Address


@dataclass(frozen=True, slots=True)
class Decision:
    """`state`: how it is now; the other two when it was decided before."""

    person: str
    group: str
    state: Literal["let_in", "refused", "is_in", "is_out"]


def ask_owners(session: Session, actor: Actor, group: NamedAccount) -> None:
    """Asks each owner where they can be reached; a group without owners asks the operators."""
    asking = actor.account
    running = group_owners.owners(session, group.id)
    for owner in running:
        where = reachability.reached(session, [owner.id])
        free = where and _may_be_asked(session, actor, where[0])
        words = describe_request(asking, group) if free else _notice(asking, group)
        actor.queues |= notices.tell(session, [owner.id], words, inbound_id=actor.inbound_id)
        if free:
            conversations.ask(session, where[0].id, question(asking.id, group.id))
    if not running:
        notice = say(
            ("{name} (@{handle}) asks to join {group}, which has no owner. To let people in: critter groups admit"),
            name=asking.name,
            handle=asking.handle,
            group=group.name,
        )
        actor.queues |= notices.tell(session, accounts.operators(session), notice, inbound_id=actor.inbound_id)


def _may_be_asked(session: Session, actor: Actor, where: Address) -> bool:
    """Whether they have no other question open, and this one reaches them."""
    if conversations.open_question(session, where.id):
        return False
    return reply_limits.unsendable(session, actor.settings, where, None) is None


def question(person_id: int, group_id: int) -> AskedQuestion:
    """The question on an owner's phone; handlers/join_requests.py processes the answer."""
    choices = [{"label": "lets them in"}, {"label": "says no"}]
    return AskedQuestion("join", choices, ("DROP",), {"person": person_id, "group": group_id})


def describe_request(person: Account, group: NamedAccount) -> Phrase:
    values = {"name": person.name, "handle": person.handle, "group": group.name}
    return say("{name} (@{handle}) asks to join {group}. Reply 1 to let them in, 2 to say no.", **values)


def _notice(person: Account, group: NamedAccount) -> Phrase:
    form = f"add {person.handle} {group.handle}"
    values = {"name": person.name, "handle": person.handle, "group": group.name, "form": form}
    return say("{name} (@{handle}) asks to join {group}. To let them in: {form}", **values)


def decide(session: Session, actor: Actor, person: NamedAccount, group: NamedAccount, *, admit: bool) -> Decision:
    """The first answer counts; whoever answers later, or is no owner any more, is told how it was decided."""
    group_owners.check_owner(session, actor.account.id, group)
    was = follow_snapshot.take_snapshot(session, person.id, group.id)
    if was is None or was["state"] != "requested":
        return Decision(person.name, group.name, "is_out" if was is None else "is_in")
    if admit:
        if PROOF not in actor.confirmed:
            raise ConfirmationRequired("add_member", PROOF, person=person.name, group=group.name)
        follows.approve(session, person.id, group.id)
        did(session, actor, "add", person, group, was)
        there = {"name": group.name, "handle": group.handle}
        tell(session, actor, person, say("You are in {name} now. To stop: LEAVE {handle!u}", **there))
        return Decision(person.name, group.name, "let_in")
    follow_snapshot.restore(session, person.id, group.id, None)
    did(session, actor, "remove", person, group, was)
    tell(session, actor, person, describe_removal(actor, group, was))
    return Decision(person.name, group.name, "refused")
