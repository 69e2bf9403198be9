"""Following and leaving, and turning texts off and on without leaving."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.inbound.commands import CommandContext, command, undoes
from gateway.language.model.reading import NamedAccount
from gateway.language.words import durations
from gateway.network.follows import follow_snapshot, follows, group_owners, tag_follows
from gateway.network.people import accounts, addresses
from gateway.network.people.directory import find_named
from gateway.store.tables import Effect
from handlers import join_requests
from handlers.daily_mail import DAILY, daily
from handlers.group_members import add, remove
from handlers.mutes import confirm_end, lift

ON = {"sms": say("Texts are on."), "email": say("Mails are on.")}
BY = {"sms": say("by text"), "email": say("by mail")}


@command("join GROUP", intent="follow", about="join a group", spanish="unirme, entrar")
@command(
    "follow NAME [for]",
    "follow #TAG [for]",
    "add PERSON GROUP",
    aliases=("f", "sub", "add"),
    about="get someone's updates, or join a group",
    spanish="seguir, sigue, añadir=add, agregar=add",
)
def follow(session: Session, turn: CommandContext) -> str:
    if not turn.names:
        return follow_tag(session, turn, turn.reading.args[0])
    if len(turn.names) == 2:
        return add(session, turn)
    return follow_account(session, turn, turn.names[0])


def follow_tag(session: Session, turn: CommandContext, tag: str) -> str:
    """A group may be written with # too; a group of that name comes before the tag."""
    group = accounts.group_called(session, tag)
    if group is not None:
        return follow_account(session, turn, find_named(group))
    was, until = tag_follows.standing(session, turn.account.id, tag), _end(turn)
    if was and until and was.expires_at is None:
        confirm_end(turn, say("You follow {name} with no end.", name=tag), until)
    topic_id, result = tag_follows.follow(session, turn.account.id, tag, turn.address.channel == "sms", until)
    coming = _coming(turn, tag_follows.per_day(session, tag), tag)
    if result == "followed":
        turn.did("follow_topic", topic_id, tag=tag)
    elif was and was.expires_at != until:
        kept = was.expires_at.isoformat() if was.expires_at else None
        turn.did("follow_topic", topic_id, tag=tag, was={"by_text": was.by_text, "until": kept})
    return joined([_opening(turn, tag, result, was.expires_at if was else None, until), coming])


@undoes("follow_topic")
def _no_longer(session: Session, turn: CommandContext, effect: Effect) -> str:
    if was := effect.detail.get("was"):
        until = datetime.fromisoformat(was["until"]) if was["until"] else None
        tag_follows.follow(session, turn.account.id, effect.detail["tag"], was["by_text"], until)
        return say("You follow {name} as before.", name=effect.detail["tag"])
    tag_follows.unfollow(session, turn.account.id, effect.detail["tag"])
    return say("You no longer follow {tag}.", tag=effect.detail["tag"])


def follow_account(session: Session, turn: CommandContext, target: NamedAccount) -> str:
    if target.id == turn.account.id:
        raise Refused(say("That is you. Nothing was changed."))
    by_text = turn.address.channel == "sms"
    was, until = follow_snapshot.take_snapshot(session, turn.account.id, target.id), _end(turn)
    if until and target.group in ("closed", "broadcast"):
        group_owners.check_not_last_owner(session, turn.account.id, target)
    if was and until and was["state"] == "active" and not was["expires_at"]:
        confirm_end(turn, say("You follow {name} with no end.", name=target.name), until)
    result = follows.follow(session, turn.account.id, target.id, by_text, expires_at=until)
    if follow_snapshot.take_snapshot(session, turn.account.id, target.id) != was:
        turn.did("follow", target.id, was=was)
    if result == "requested":
        if was is None or was["state"] != "requested":
            join_requests.ask_owners(session, turn, target)
        return say(
            "{name} is closed. You have asked to join, and you will hear when an owner lets you in.", name=target.name
        )
    return _told(_opening(turn, target.name, result, was["expires_at"] if was else None, until), session, turn, target)


def _local(turn: CommandContext, moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(turn.account.timezone))


def _opening(turn: CommandContext, name: str, result: str, ended: object, until: datetime | None) -> Phrase:
    """The first sentence. A follow says when it ends; one that had an end and has none any more says so, too."""
    if until:
        return say("You follow {name} till {time}:", name=name, time=_local(turn, until))
    if result == "already":
        if ended:
            return say("You follow {name} with no end now:", name=name)
        return say("You follow {name} already:", name=name)
    return say("You follow {name}:", name=name)


def _told(opening: str, session: Session, turn: CommandContext, target: NamedAccount) -> str:
    """What the follower will get: on which channel, how much a day, and how to stop it."""
    return joined([opening, _coming(turn, follows.per_day(session, target.id), target.handle)])


def _coming(turn: CommandContext, daily: float, handle: str) -> Phrase:
    amount = say("about one a week or less")
    if daily >= 0.2:
        amount = count("about {count} a day", "about {count} a day", max(1, round(daily)))
    how = say("{by}, {amount}.", by=BY[turn.address.channel], amount=amount)
    return joined([how, say("To stop: LEAVE {handle!u}", handle=handle)])


def _end(turn: CommandContext) -> datetime | None:
    args = turn.reading.args
    return ends(turn, args[1]) if len(args) > 1 else None


def ends(turn: CommandContext, duration: str) -> datetime:
    """When `2h` or `till 9` is over, in the person's own time zone."""
    return durations.ends(duration, datetime.now(ZoneInfo(turn.account.timezone)))


@command(
    "unfollow NAME",
    "unfollow #TAG",
    "remove PERSON GROUP",
    aliases=("leave", "unsub", "drop", "part", "remove"),
    about="stop following, or leave a group",
    spanish="dejar, deja, quitar=remove",
)
def leave(session: Session, turn: CommandContext) -> str:
    if not turn.names:
        return leave_tag(session, turn, turn.reading.args[0])
    if len(turn.names) == 2 and turn.names[0].id != turn.account.id:
        return remove(session, turn)
    return leave_account(session, turn, turn.names[-1])


def leave_tag(session: Session, turn: CommandContext, tag: str) -> str:
    gone = tag_follows.unfollow(session, turn.account.id, tag)
    if gone is None:
        group = accounts.group_called(session, tag)
        if group is not None:
            return leave_account(session, turn, find_named(group))
        return say("You do not follow {name}. Nothing was changed.", name=tag)
    until = gone.expires_at.isoformat() if gone.expires_at else None
    turn.did("unfollow_topic", gone.topic_id, tag=tag, by_text=gone.by_text, until=until)
    return say("You no longer follow {name}. To follow again: FOLLOW {handle!u}", name=tag, handle=tag)


@undoes("unfollow_topic")
def _again(session: Session, turn: CommandContext, effect: Effect) -> str:
    was = effect.detail
    until = datetime.fromisoformat(was["until"]) if was["until"] else None
    tag_follows.follow(session, turn.account.id, was["tag"], was["by_text"], until)
    return say("You follow {tag} again.", tag=was["tag"])


def leave_account(session: Session, turn: CommandContext, target: NamedAccount) -> str:
    was = follow_snapshot.take_snapshot(session, turn.account.id, target.id)
    if target.group in ("closed", "broadcast"):
        group_owners.check_not_last_owner(session, turn.account.id, target)
    if not follows.unfollow(session, turn.account.id, target.id):
        return say("You do not follow {name}. Nothing was changed.", name=target.name)
    turn.did("unfollow", target.id, was=was)
    if was and was["state"] == "requested":
        return say("You no longer ask to join {name}.", name=target.name)
    return say(
        "You no longer follow {name}. To follow again: FOLLOW {handle!u}", name=target.name, handle=target.handle
    )


@command(
    "off [NAME] [for]",
    "off [for]",
    "off daily",
    about="get nothing for now, from all or from one; your follows stay",
    spanish="apagar, pausar",
)
def off(session: Session, turn: CommandContext) -> str:
    if turn.reading.args == DAILY:
        return daily(session, turn, False)
    until = _until(turn)
    if turn.names:
        return _off_source(session, turn, turn.names[0], until)
    now = addresses.receiving_now(session, turn.address.id)
    if until and not now["receiving"] and now["until"] is None:
        confirm_end(turn, OFF[turn.address.channel], until)
    turn.did("off", turn.address.id, **now)
    addresses.set_receiving(session, turn.address.id, False, until)
    off_ = _off_till(turn, until) if until else OFF[turn.address.channel]
    return joined([off_, say("You still get answers, and your follows stay. To turn them on again: ON")])


OFF = {"sms": say("Texts are off."), "email": say("Mails are off.")}


def _off_till(turn: CommandContext, until: datetime) -> str:
    local = until.astimezone(ZoneInfo(turn.account.timezone))
    if turn.address.channel == "sms":
        return say("Texts are off till {time}.", time=local)
    return say("Mails are off till {time}.", time=local)


def _off_source(session: Session, turn: CommandContext, source: NamedAccount, until: datetime | None) -> str:
    was = follow_snapshot.take_snapshot(session, turn.account.id, source.id)
    if was and until and was["off"] and was["off_until"] is None:
        confirm_end(turn, say("{name} is off.", name=source.name), until)
    if not follows.set_off(session, turn.account.id, source.id, True, until):
        raise Refused(say("You do not follow {name}, so there is nothing to turn off.", name=source.name))
    turn.did("off", source.id, was=was)
    stays = say("You still follow. To turn it on again: ON {handle!u}", handle=source.handle)
    if until is None:
        return joined([say("{name} is off.", name=source.name), stays])
    local = until.astimezone(ZoneInfo(turn.account.timezone))
    return joined([say("{name} is off till {time}.", name=source.name, time=local), stays])


def _until(turn: CommandContext) -> datetime | None:
    rest = turn.reading.args[1:] if turn.names else turn.reading.args
    return ends(turn, rest[0]) if rest else None


@command(
    "on [NAME]",
    "on daily",
    about="get all of it again, or just one; ends a mute or a block",
    spanish="encender, reanudar",
)
def on(session: Session, turn: CommandContext) -> str:
    if turn.reading.args == DAILY:
        return daily(session, turn, True)
    if turn.names:
        source = turn.names[0]
        if lifted := lift(session, turn, source):
            return lifted
        was = follow_snapshot.take_snapshot(session, turn.account.id, source.id)
        if not follows.set_off(session, turn.account.id, source.id, False, None):
            raise Refused(
                say("You do not follow {name}. To follow: FOLLOW {handle!u}", name=source.name, handle=source.handle)
            )
        turn.did("on", source.id, was=was)
        return say("{name} is on.", name=source.name)
    turn.did("on", turn.address.id, **addresses.receiving_now(session, turn.address.id))
    addresses.set_receiving(session, turn.address.id, True, None)
    return ON[turn.address.channel]
