"""Following and leaving, and turning texts off and on without leaving."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gateway.commands import Turn, command
from gateway.errors import Refused
from gateway.language import durations
from gateway.language.named import Named
from gateway.network import addresses, follows

CHANNELS = {"sms": "Texts", "email": "Mails"}
BY = {"sms": "by text", "email": "by mail"}


@command(
    "follow NAME [for]",
    "follow #TAG [for]",
    aliases=("f", "sub", "add"),
    about="get someone's updates, or join a group",
)
@command("join GROUP", intent="follow", about="join a group")
def follow(session: Session, turn: Turn) -> str:
    if not turn.names:
        raise Refused(f"Following {turn.reading.args[0]} is not here yet. Nothing was changed.")
    target = turn.names[0]
    if target.id == turn.account.id:
        raise Refused("That is you. Nothing was changed.")
    by_text = turn.address.channel == "sms"
    result = follows.follow(session, turn.account.id, target.id, by_text, expires_at=_end(turn))
    if result == "requested":
        turn.did("follow", target.id)
        return f"{target.name} is closed. You have asked to join; you hear it once its owner lets you in."
    if result == "already":
        return f"You follow {target.name} already: {_expect(session, turn, target)} leave {target.handle} ends it."
    turn.did("follow", target.id)
    return f"You follow {target.name}: {_expect(session, turn, target)} leave {target.handle} ends it."


def _expect(session: Session, turn: Turn, target: Named) -> str:
    """What is coming: how, and how much a day."""
    daily = follows.per_day(session, target.id)
    amount = "about one a week or less" if daily < 0.2 else f"about {max(1, round(daily))} a day"
    return f"{BY[turn.address.channel]}, {amount}."


def _end(turn: Turn) -> datetime | None:
    args = turn.reading.args
    return ends(turn, args[1]) if len(args) > 1 else None


def ends(turn: Turn, duration: str) -> datetime:
    """When `2h` or `till 9` is over, in the person's own time zone."""
    return durations.ends(duration, datetime.now(ZoneInfo(turn.account.timezone)))


@command("unfollow NAME", aliases=("leave", "unsub", "drop", "part", "remove"), about="stop getting them")
def leave(session: Session, turn: Turn) -> str:
    target = turn.names[0]
    if not follows.unfollow(session, turn.account.id, target.id):
        return f"You do not follow {target.name}; nothing to leave."
    turn.did("unfollow", target.id)
    return f"You no longer follow {target.name}. follow {target.handle} brings it back."


@command("off [NAME] [for]", "off [for]", about="no texts for now, from all or from one; follows stay")
def off(session: Session, turn: Turn) -> str:
    until = _until(turn)
    if turn.names:
        return _off_source(session, turn, turn.names[0], until)
    addresses.set_receiving(session, turn.address.id, False, until)
    turn.did("off", turn.address.id)
    what = CHANNELS[turn.address.channel]
    return f"{what} are off{_till(turn, until)}. You still get answers. Your follows stay. on brings them back."


def _off_source(session: Session, turn: Turn, source: Named, until: datetime | None) -> str:
    if not follows.set_off(session, turn.account.id, source.id, True, until):
        raise Refused(f"You do not follow {source.name}, so nothing comes from there.")
    turn.did("off", source.id)
    return f"{source.name} is off{_till(turn, until)}. You still follow. on {source.handle} brings it back."


def _until(turn: Turn) -> datetime | None:
    rest = turn.reading.args[1:] if turn.names else turn.reading.args
    return ends(turn, rest[0]) if rest else None


def _till(turn: Turn, until: datetime | None) -> str:
    return f" till {until.astimezone(ZoneInfo(turn.account.timezone)):%a %H:%M}" if until else ""


@command("on [NAME]", about="texts again, from all or from one")
def on(session: Session, turn: Turn) -> str:
    if turn.names:
        source = turn.names[0]
        if not follows.set_off(session, turn.account.id, source.id, False, None):
            raise Refused(f"You do not follow {source.name}. To get it: follow {source.handle}")
        turn.did("on", source.id)
        return f"{source.name} is on."
    addresses.set_receiving(session, turn.address.id, True, None)
    turn.did("on", turn.address.id)
    return f"{CHANNELS[turn.address.channel]} are on."
