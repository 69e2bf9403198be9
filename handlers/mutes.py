"""Blocks and mutes."""

from sqlalchemy.orm import Session

from gateway.actions import silencing
from gateway.actions.silencing import Lifted, Silenced
from gateway.i18n.phrases import joined, say
from gateway.inbound.commands import CommandContext, command
from handlers.follows import ends, local


@command("block NAME", aliases=("lose",), about="neither of you hears the other", spanish="bloquear, bloquea")
def block(session: Session, context: CommandContext) -> str:
    done = silencing.block(session, context.actor, context.names[0])
    if done.already:
        return say("You already blocked {name}. To unblock: ON {handle!u}", name=done.name, handle=done.handle)
    return say(
        "You and {name} no longer hear or follow each other. To unblock: ON {handle!u}",
        name=done.name,
        handle=done.handle,
    )


@command("mute NAME [for]", about="hear nothing from them", spanish="silenciar, silencia")
def mute(session: Session, context: CommandContext) -> str:
    args = context.reading.args
    until = ends(context, args[1]) if len(args) > 1 else None
    done = silencing.mute(session, context.actor, context.names[0], until)
    if done.already:
        return say("{name} is muted already. To unmute: ON {handle!u}", name=done.name, handle=done.handle)
    still = say(
        "You get nothing from them, private or not. To look anyway: GET {handle!u}. To unmute: ON {handle!u}",
        handle=done.handle,
    )
    return joined([_muted(context, done), still])


def _muted(context: CommandContext, done: Silenced) -> str:
    if done.until:
        return say("{name} is muted till {time}.", name=done.name, time=local(context, done.until))
    if done.had_end:
        return say("{name} is muted with no end now.", name=done.name)
    return say("{name} is muted.", name=done.name)


def tell_lifted(lifted: Lifted) -> str:
    if lifted.kind == "mute":
        return say("{name} is no longer muted.", name=lifted.name)
    return say(
        "{name} is no longer blocked. To hear them again: FOLLOW {handle!u}", name=lifted.name, handle=lifted.handle
    )


@command("unmute NAME", aliases=("unblock",), about="hear them again",
         spanish="desilenciar, desbloquear=unblock")  # fmt: skip
def unmute(session: Session, context: CommandContext) -> str:
    """`unblock` as well: it ends whichever of the two there is."""
    lifted = silencing.unmute(session, context.actor, context.names[0])
    if lifted is None:
        return say("{name} is neither muted nor blocked. Nothing was changed.", name=context.names[0].name)
    return tell_lifted(lifted)
