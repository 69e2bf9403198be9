"""`who got`: how an update went out."""

from sqlalchemy.orm import Session

from gateway.actions.lookups import delivery_receipts
from gateway.actions.lookups.delivery_receipts import PostReceipts
from gateway.channels import EMAIL, PUSH, SMS
from gateway.i18n.phrases import Phrase, count, joined, say, template
from gateway.inbound.commands import CommandContext, command
from gateway.language.model.reading import NamedAccount
from gateway.network.receipts import call_reports, question_reports
from gateway.network.receipts.receipt_text import describe_counts, names, shorten
from gateway.network.receipts.receipts import ON_WEB

GOT = {
    SMS: template("{name} got it by text."),
    EMAIL: template("{name} got it by mail."),
    PUSH: template("{name} got it by push."),
}
SHOWN = 2  # people who missed it, with reasons, that fit in one text


@command(
    "who got [NAME]", "who got it", "who got #TAG", intent="receipts", english=True, about="who got my last update"
)
def who_got(session: Session, context: CommandContext) -> str:
    """Without a name or with "it": my last update. A person: whether they have it. A group, a #tag: the last one
    there."""
    args = context.reading.args
    if context.names and context.names[0].kind == "person":
        return _one(session, context, context.names[0])
    group = context.names[0] if context.names else None
    tag = args[0].lstrip("#") if args and args[0].startswith("#") and not group else None
    found = delivery_receipts.who_got(session, context.actor, SHOWN, group, tag)
    context.quotes.add(found.post.id)
    return _tell(session, found)


def _tell(session: Session, found: PostReceipts) -> Phrase:
    """The counts, and the first of those who missed it; of an urgent call, who has answered; of a question, its
    answers."""
    if found.call and found.call.call.kind == "ask":
        return question_reports.describe(session, found.call.call, found.call.answers)
    if found.call:
        return call_reports.describe(found.call.call, found.call.tally, found.call.group)
    which = say('"{words}":', words=shorten(found.post.text))
    by = count("Liked by {count} person.", "Liked by {count} people.", found.likes) if found.likes else ""
    missed = names(found.missed, max(found.tally.missed, len(found.missed)), SHOWN)
    return joined([which, describe_counts(found.tally), by, missed])


def _on_web(name: str, reason: str | None) -> Phrase:
    if reason == "seen":
        return say("{name} saw it on the web.", name=name)
    return say("{name} has it on the web alone.", name=name)


def _one(session: Session, context: CommandContext, person: NamedAccount) -> str:
    """Whether they have my last update."""
    post, got = delivery_receipts.has_got(session, context.actor, person)
    context.quotes.add(post.id)
    words = shorten(post.text)
    if got is None:
        return say('"{words}" was not for {name}.', words=words, name=person.name)
    if got.state in ("sent", "delivered"):
        return joined([say('"{words}":', words=words), say(GOT[got.channel], name=person.name)])
    if got.reason in ON_WEB:
        return joined([say('"{words}":', words=words), _on_web(person.name, got.reason)])
    if got.state == "held":
        return say('"{words}": {name} gets it later.', words=words, name=person.name)
    return say('"{words}": {name} does not have it: {why}.', words=words, name=person.name, why=got.why)
