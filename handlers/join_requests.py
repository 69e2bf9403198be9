"""Requests to join a closed group: its owners are asked on their phones, and the first answer counts."""

from typing import Final

from sqlalchemy.orm import Session

from gateway.i18n.phrases import Phrase, joined, say
from gateway.inbound.commands import CommandContext, question, unanswerable
from gateway.language.model.reading import NamedAccount
from gateway.network.conversation import conversations, notices, reply_limits
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.follows import follow_snapshot, follows, group_owners, reachability
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from gateway.store.tables import Account, Address
from handlers.group_members import did, tell, tell_gone
from handlers.pin_confirmation import prove

LETS_IN: Final = "1"


def ask_owners(session: Session, turn: CommandContext, group: NamedAccount) -> None:
    """Asks each owner where they can be reached; a group without owners asks the operators."""
    asking = turn.account
    running = group_owners.owners(session, group.id)
    for owner in running:
        where = reachability.reached(session, [owner.id])
        free = where and _may_be_asked(session, turn, where[0])
        words = _question(asking, group) if free else _notice(asking, group)
        turn.rings |= notices.tell(session, [owner.id], words, inbound_id=turn.inbound_id)
        if free:
            conversations.ask(session, where[0].id, _asked(asking.id, group.id))
    if not running:
        told = say(
            ("{name} (@{handle}) asks to join {group}, which has no owner. To let people in: critter groups admit"),
            name=asking.name,
            handle=asking.handle,
            group=group.name,
        )
        turn.rings |= notices.tell(session, accounts.operators(session), told, inbound_id=turn.inbound_id)


def _may_be_asked(session: Session, turn: CommandContext, where: Address) -> bool:
    """Whether they have no other question open, and this one reaches them."""
    if conversations.open_question(session, where.id):
        return False
    return reply_limits.unsendable(session, turn.world.settings, where, None) is None


def _asked(person_id: int, group_id: int) -> AskedQuestion:
    choices = [{"label": "lets them in"}, {"label": "says no"}]
    return AskedQuestion("join", choices, ("DROP",), {"person": person_id, "group": group_id})


def _question(person: Account, group: NamedAccount) -> Phrase:
    values = {"name": person.name, "handle": person.handle, "group": group.name}
    return say("{name} (@{handle}) asks to join {group}. Reply 1 to let them in, 2 to say no.", **values)


def _notice(person: Account, group: NamedAccount) -> Phrase:
    form = f"add {person.handle} {group.handle}"
    values = {"name": person.name, "handle": person.handle, "group": group.name, "form": form}
    return say("{name} (@{handle}) asks to join {group}. To let them in: {form}", **values)


@question("join")
def _answered(session: Session, turn: CommandContext, asked: AskedQuestion, word: str) -> str:
    """Does what the answer to this request says, and asks about the next one."""
    person, group = accounts.by_id(session, asked.about["person"]), accounts.by_id(session, asked.about["group"])
    told = say("That account is gone. Nothing was changed.")
    if person and group and person.state == group.state == "active":
        told = _decide(session, turn, find_named(person), find_named(group), word == LETS_IN)
    session.flush()
    waiting = group_owners.requests(session, turn.account.id)
    if not waiting:
        return told
    next_person, next_group = waiting[0]
    if unanswerable(session, turn):
        return told
    conversations.ask(session, turn.address.id, _asked(next_person.id, next_group.id))
    return joined([told, _question(next_person, find_named(next_group))])


def _decide(session: Session, turn: CommandContext, person: NamedAccount, group: NamedAccount, yes: bool) -> Phrase:
    """The first answer counts; whoever answers later, or is no owner any more, is told how it was decided."""
    group_owners.check_owner(session, turn.account.id, group)
    was = follow_snapshot.take_snapshot(session, person.id, group.id)
    values = {"name": person.name, "group": group.name}
    if was is None:
        return say("That is decided already: {name} is not in {group}.", **values)
    if was["state"] != "requested":
        return say("That is decided already: {name} is in {group}.", **values)
    if yes:
        prove(session, turn, say("Add {name} to {group}?", **values))
        follows.approve(session, person.id, group.id)
        did(session, turn, "add", person, group, was)
        there = {"name": group.name, "handle": group.handle}
        tell(session, turn, person, say("You are in {name} now. To stop: LEAVE {handle!u}", **there))
        return say("{name} is in {group} now and has been told.", **values)
    follow_snapshot.restore(session, person.id, group.id, None)
    did(session, turn, "remove", person, group, was)
    tell(session, turn, person, tell_gone(turn, group, was))
    return say("We told {name} that {group} says no.", **values)
