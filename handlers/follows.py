"""Following and leaving people, groups and tags."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from gateway.actions import following
from gateway.actions.following import Followed, Unfollowed
from gateway.attention.zones import zone
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.inbound.commands import CommandContext, command
from gateway.language.model.reading import NamedAccount
from gateway.language.words import durations
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from handlers.group_members import add, remove

BY = {"sms": say("by text"), "email": say("by mail"), "push": say("by push")}
BY_WAY = {
    "text": say("by text"),
    "push": say("by push"),
    "mail": say("by mail"),
    "digest": say("in your digest"),
    "web": say("on the web alone"),
    "nothing": say("not at all"),
}


@command("join GROUP", intent="follow", about="join a group", spanish="unirme, entrar")
@command(
    "follow NAME [for]",
    "follow #TAG [for]",
    "add PERSON GROUP",
    aliases=("f", "sub", "add"),
    about="get someone's updates, or join a group",
    spanish="seguir, sigue, añadir=add, agregar=add",
)
def follow(session: Session, context: CommandContext) -> str:
    if len(context.names) == 2:
        return add(session, context)
    source = context.names[0] if context.names else group_called(session, context.reading.args[0])
    if source is None:
        return _tell(context, following.follow_tag(session, context.actor, context.reading.args[0], _end(context)))
    return _tell(context, following.follow(session, context.actor, source, _end(context)))


def group_called(session: Session, tag: str) -> NamedAccount | None:
    """A group may be written with # too; a group of that name comes before the tag."""
    group = accounts.group_called(session, tag)
    return find_named(group) if group else None


def _tell(context: CommandContext, done: Followed) -> str:
    """What the follower will get: on which channel, how much a day, and how to stop it."""
    if done.state == "requested":
        return say(
            "{name} is closed. You have asked to join, and you will hear when an owner lets you in.", name=done.name
        )
    amount = say("about one a week or less")
    if done.per_day >= 0.2:
        amount = count("about {count} a day", "about {count} a day", max(1, round(done.per_day)))
    by = BY_WAY[done.way] if done.way else BY[context.address.channel]
    how = say("{by}, {amount}.", by=by, amount=amount)
    return joined([_opening(context, done), how, say("To stop: LEAVE {handle!u}", handle=done.handle)])


def _opening(context: CommandContext, done: Followed) -> Phrase:
    """The first sentence. A follow says when it ends; one that had an end and has none any more says so, too."""
    if done.until:
        return say("You follow {name} till {time}:", name=done.name, time=local(context, done.until))
    if done.state == "already" and done.had_end:
        return say("You follow {name} with no end now:", name=done.name)
    if done.state == "already":
        return say("You follow {name} already:", name=done.name)
    return say("You follow {name}:", name=done.name)


def local(context: CommandContext, moment: datetime) -> datetime | Phrase:
    """The moment in the person's own time zone. A weekday says which day is meant only for the next six."""
    return local_in(moment, context.account.zone_now)


def local_in(moment: datetime, timezone: str) -> datetime | Phrase:
    """The same in a zone that has just been set."""
    there = moment.astimezone(zone(timezone))
    near = there.date() - datetime.now(there.tzinfo).date() < timedelta(days=7)
    return there if near else say("{time}, {day}", time=there, day=there.date())


def _end(context: CommandContext) -> datetime | None:
    args = context.reading.args
    return ends(context, args[1]) if len(args) > 1 else None


def ends(context: CommandContext, duration: str) -> datetime:
    """When `2h` or `till 9` is over, in the person's own time zone."""
    return durations.ends(duration, datetime.now(zone(context.account.zone_now)))


@command(
    "unfollow NAME",
    "unfollow #TAG",
    "remove PERSON GROUP",
    aliases=("leave", "unsub", "drop", "part", "remove"),
    about="stop following, or leave a group",
    spanish="dejar, deja, quitar=remove",
)
def leave(session: Session, context: CommandContext) -> str:
    if not context.names:
        return _leave_tag(session, context, context.reading.args[0])
    if len(context.names) == 2 and context.names[0].id != context.account.id:
        return remove(session, context)
    return _tell_left(following.unfollow(session, context.actor, context.names[-1]))


def _leave_tag(session: Session, context: CommandContext, tag: str) -> str:
    left = following.unfollow_tag(session, context.actor, tag)
    group = group_called(session, tag) if left.state == "none" else None
    return _tell_left(following.unfollow(session, context.actor, group) if group else left)


def _tell_left(left: Unfollowed) -> str:
    if left.state == "none":
        return say("You do not follow {name}. Nothing was changed.", name=left.name)
    if left.state == "withdrawn":
        return say("You no longer ask to join {name}.", name=left.name)
    return say("You no longer follow {name}. To follow again: FOLLOW {handle!u}", name=left.name, handle=left.handle)
