"""An owner's answer to a request to join; gateway/actions/groups/join_requests.py asks."""

from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.groups import join_requests
from gateway.actions.groups.join_requests import Decision
from gateway.i18n.phrases import Phrase, joined, say
from gateway.inbound.commands import CommandContext, question, unanswerable
from gateway.network.conversation import conversations
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.follows import group_owners
from gateway.network.people import accounts
from gateway.network.people.directory import find_named

LETS_IN: Final = "1"


@question("join")
def _answered(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str:
    """Does what the answer to this request says, and asks about the next one."""
    person, group = accounts.by_id(session, asked.about["person"]), accounts.by_id(session, asked.about["group"])
    notice = say("That account is gone. Nothing was changed.")
    if person and group and person.state == group.state == "active":
        pair = find_named(person), find_named(group)
        notice = _tell(join_requests.decide(session, context.actor, *pair, admit=word == LETS_IN))
    session.flush()
    return _go_on(session, context, notice)


def _go_on(session: Session, context: CommandContext, notice: Phrase) -> Phrase:
    """The answer, with the question about the next request that waits."""
    waiting = group_owners.requests(session, context.account.id)
    if not waiting or unanswerable(session, context):
        return notice
    person, group = waiting[0]
    conversations.ask(session, context.address.id, join_requests.question(person.id, group.id))
    return joined([notice, join_requests.describe_request(person, find_named(group))])


def _tell(decision: Decision) -> Phrase:
    values = {"name": decision.person, "group": decision.group}
    match decision.state:
        case "is_out":
            return say("That is decided already: {name} is not in {group}.", **values)
        case "is_in":
            return say("That is decided already: {name} is in {group}.", **values)
        case "let_in":
            return say("{name} is in {group} now and has been told.", **values)
    return say("We told {name} that {group} says no.", **values)
