"""Blocks, which hold both ways, and mutes, which the muted person never notices."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, joined, say
from gateway.inbound.commands import CommandContext, ConfirmationRequired, command, undoes
from gateway.language.model.reading import NamedAccount
from gateway.language.words import durations
from gateway.network.follows import follows, mutes
from gateway.network.follows.mutes import MuteSnapshot
from gateway.network.people import accounts
from gateway.store.tables import Effect


@command("block NAME", aliases=("lose",), about="neither of you hears the other", spanish="bloquear, bloquea")
def block(session: Session, turn: CommandContext) -> str:
    other = _other(turn)
    if other.kind == "group":
        raise Refused(
            say(
                "You can only block people. To hear nothing from {name}: MUTE {handle!u}",
                name=other.name,
                handle=other.handle,
            )
        )
    was = mutes.find_mute(session, turn.account.id, other.id)
    if was and was.kind == "block":
        return say("You already blocked {name}. To unblock: ON {handle!u}", name=other.name, handle=other.handle)
    ended = mutes.block(session, turn.account.id, other.id)
    turn.did("silence", other.id, was=was.packed() if was else None, ended=ended)
    return say(
        "You and {name} no longer hear or follow each other. To unblock: ON {handle!u}",
        name=other.name,
        handle=other.handle,
    )


@command("mute NAME [for]", about="hear nothing from them", spanish="silenciar, silencia")
def mute(session: Session, turn: CommandContext) -> str:
    other, args = _other(turn), turn.reading.args
    local = durations.ends(args[1], datetime.now(ZoneInfo(turn.account.timezone))) if len(args) > 1 else None
    was, wanted = mutes.find_mute(session, turn.account.id, other.id), MuteSnapshot("mute", local)
    if was and was.kind == "block":
        raise Refused(
            say(
                "You blocked {name}, and that does more. To unblock: ON {handle!u}",
                name=other.name,
                handle=other.handle,
            )
        )
    if was and was.kind == "mute" and was.expires_at is None and local:
        confirm_end(turn, say("{name} is muted with no end.", name=other.name), local)
    if was == wanted:
        return say("{name} is muted already. To unmute: ON {handle!u}", name=other.name, handle=other.handle)
    mutes.put(session, turn.account.id, other.id, wanted)
    turn.did("silence", other.id, was=was.packed() if was else None, ended=[])
    return joined([_muted(other, local, had_end=bool(was and was.expires_at)), _still(other)])


ENDS: Final = "end"


def confirm_end(turn: CommandContext, stands: Phrase, until: datetime) -> None:
    """A mute or block without an end is not shortened unasked. Raises ConfirmationRequired until its writer has said
    yes."""
    if ENDS in turn.confirmed:
        return
    local = until.astimezone(ZoneInfo(turn.account.timezone))
    asked = say(
        "{stands} End that on {time}? Reply OK to end it then, DROP to leave it as it is.", stands=stands, time=local
    )
    raise ConfirmationRequired(asked, ENDS)


def _muted(other: NamedAccount, until: datetime | None, *, had_end: bool) -> str:
    if until is None and had_end:
        return say("{name} is muted with no end now.", name=other.name)
    if until is None:
        return say("{name} is muted.", name=other.name)
    return say("{name} is muted till {time}.", name=other.name, time=until)


def _still(other: NamedAccount) -> str:
    return say(
        "You get nothing from them, private or not. To look anyway: GET {handle!u}. To unmute: ON {handle!u}",
        handle=other.handle,
    )


def _other(turn: CommandContext) -> NamedAccount:
    other = turn.names[0]
    if other.id == turn.account.id:
        raise Refused(say("That is you. Nothing was changed."))
    return other


def lift(session: Session, turn: CommandContext, other: NamedAccount) -> str | None:
    """The answer of `on NAME` when it ended a mute or a block; None when there was none."""
    was = mutes.lift(session, turn.account.id, other.id)
    if was is None:
        return None
    turn.did("lift", other.id, was=was.packed())
    if was.kind == "mute":
        follows.set_off(session, turn.account.id, other.id, False, None)
        return say("{name} is no longer muted.", name=other.name)
    return say(
        "{name} is no longer blocked. To hear them again: FOLLOW {handle!u}", name=other.name, handle=other.handle
    )


@command("unmute NAME", aliases=("unblock",), about="hear them again",
         spanish="desilenciar, desbloquear=unblock")  # fmt: skip
def unmute(session: Session, turn: CommandContext) -> str:
    """`unblock` as well: it ends whichever of the two there is."""
    other = _other(turn)
    lifted = lift(session, turn, other)
    return lifted or say("{name} is neither muted nor blocked. Nothing was changed.", name=other.name)


@undoes("silence")
def _lifted(session: Session, turn: CommandContext, effect: Effect) -> str:
    """Restores what was before: the older mute or block, and the follows that a block ended."""
    assert effect.subject_id
    was, ended = MuteSnapshot.read(effect.detail["was"]), effect.detail["ended"]
    mutes.lift(session, turn.account.id, effect.subject_id)
    if was:
        mutes.put(session, turn.account.id, effect.subject_id, was)
    for follow in ended:
        follows.restore(session, follow)
    name = _name(session, effect)
    if ended:
        return say("{name} is no longer blocked. You follow each other as before.", name=name)
    return say("You hear {name} as before.", name=name)


@undoes("lift")
def _silenced(session: Session, turn: CommandContext, effect: Effect) -> str:
    was = MuteSnapshot.read(effect.detail["was"])
    assert effect.subject_id
    assert was
    if was.kind == "block":
        mutes.block(session, turn.account.id, effect.subject_id)
        return say("{name} is blocked again.", name=_name(session, effect))
    mutes.put(session, turn.account.id, effect.subject_id, was)
    return say("{name} is muted again.", name=_name(session, effect))


def _name(session: Session, effect: Effect) -> str:
    account = accounts.by_id(session, effect.subject_id or 0)
    if account is None:
        raise Refused(say("That account is not there any more."))
    return account.name
