"""What a group's owner texts about its members: add, remove, owner."""

from dataclasses import replace

from sqlalchemy.orm import Session

from gateway.actions.groups import membership
from gateway.actions.groups.membership import POSTS, READS
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, ask, command, question
from gateway.language.model.reading import NamedAccount
from gateway.language.model.reading_json import pack
from gateway.network.conversation.conversations import AskedQuestion
from handlers.saved_question import as_confirmed


def add(session: Session, context: CommandContext) -> str:
    """`add PERSON GROUP`."""
    person, group = context.names
    role = next(iter({READS, POSTS} & context.actor.confirmed), None)
    done = membership.add(session, context.actor, person, group, role)
    if done.state == "which_role":
        return _ask_role(session, context, person, group)
    if done.state == "already":
        return say("{name} already is in {group}.", name=person.name, group=group.name)
    return say("{name} is in {group} now and has been told.", name=person.name, group=group.name)


def _ask_role(session: Session, context: CommandContext, person: NamedAccount, group: NamedAccount) -> str:
    choices = [{"label": READS}, {"label": POSTS}]
    ask(session, context, AskedQuestion("role", choices, ("DROP",), {"reading": pack(context.reading)}))
    context.actor.did("asked")
    return say(
        "What may {name} do in {group}? Reply 1 for reading only, 2 for posting too, DROP to cancel.",
        name=person.name,
        group=group.name,
    )


@question("role")
def _role(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str | None:
    role = asked.choices[int(word) - 1]["label"]
    return as_confirmed(session, context, replace(asked, about={**asked.about, "confirmed": [role]}))


def remove(session: Session, context: CommandContext) -> str:
    """`remove PERSON GROUP`."""
    person, group = context.names
    done = membership.remove(session, context.actor, person, group)
    if done.state == "absent":
        return say("{name} is not in {group}. Nothing was changed.", name=person.name, group=group.name)
    return say("{name} is no longer in {group} and has been told.", name=person.name, group=group.name)


@command("owner PERSON GROUP", about="let somebody else run my group, too")
def owner(session: Session, context: CommandContext) -> str:
    person, group = context.names
    done = membership.make_owner(session, context.actor, person, group)
    if done.state == "already":
        return say("{name} already is an owner of {group}.", name=person.name, group=group.name)
    return say("{name} is an owner of {group} now and has been told.", name=person.name, group=group.name)
