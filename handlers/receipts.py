"""`who got`: how an update went out. Only its author is told, and of posts to a group its owners."""

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.inbound.commands import CommandContext, command
from gateway.language.model.reading import NamedAccount
from gateway.network.receipts import likes, receipts
from gateway.network.receipts.receipt_text import describe_counts, names, shorten
from gateway.store.tables import Post

SHOWN = 2  # people who missed it, with reasons, that fit in one text


@command(
    "who got [NAME]", "who got it", "who got #TAG", intent="receipts", english=True, about="who got my last update"
)
def who_got(session: Session, turn: CommandContext) -> str:
    """Without a name or with "it": my last update. A person: whether they have it. A group, a #tag: the last one
    there."""
    args = turn.reading.args
    if turn.names and turn.names[0].kind == "person":
        return _one(session, turn, turn.names[0])
    group = turn.names[0] if turn.names else None
    tag = args[0].lstrip("#") if args and args[0].startswith("#") and not group else None
    post = receipts.asked_about(session, turn.account.id, group_id=group.id if group else None, tag=tag)
    if post is None:
        raise Refused(say("There is no update of yours there."))
    turn.quotes.add(post.id)
    return told(session, post, turn.account.timezone)


def told(session: Session, post: Post, timezone: str) -> Phrase:
    """The counts, and the first of those who missed it."""
    counts = receipts.tally(session, post.id)
    missed = receipts.list_missed(session, post.id, timezone, SHOWN)
    which = say('"{words}":', words=shorten(post.text))
    liked = likes.people(session, post.id)
    by = count("Liked by {count} person.", "Liked by {count} people.", liked) if liked else ""
    return joined([which, describe_counts(counts), by, names(missed, max(counts.missed, len(missed)), SHOWN)])


def _one(session: Session, turn: CommandContext, person: NamedAccount) -> str:
    """Whether they have my last update."""
    post = receipts.asked_about(session, turn.account.id)
    if post is None:
        raise Refused(say("There is no update of yours there."))
    turn.quotes.add(post.id)
    got = receipts.of_person(session, post.id, person.id, turn.account.timezone)
    words = shorten(post.text)
    if got is None:
        return say('"{words}" was not for {name}.', words=words, name=person.name)
    if got.state in ("sent", "delivered"):
        by = say("{name} got it by text.", name=person.name)
        by = say("{name} got it by mail.", name=person.name) if got.channel == "email" else by
        return joined([say('"{words}":', words=words), by])
    return say('"{words}": {name} does not have it: {why}.', words=words, name=person.name, why=got.why)
