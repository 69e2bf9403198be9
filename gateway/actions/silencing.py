"""Blocks, which hold both ways, and mutes, which the muted person never notices."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import confirm_end
from gateway.actions.model.undo_result import Undone
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.follows import follows, mutes
from gateway.network.follows.mutes import MuteSnapshot
from gateway.network.people import accounts
from gateway.store.tables import Effect


@dataclass(frozen=True, slots=True)
class Silenced:
    """`already`: nothing changed. `until`: the end of a mute; `had_end`: it had one before."""

    name: str
    handle: str
    already: bool = False
    until: datetime | None = None
    had_end: bool = False


@dataclass(frozen=True, slots=True)
class Lifted:
    """What was ended."""

    name: str
    handle: str
    kind: Literal["mute", "block"]


def block(session: Session, actor: Actor, other: NamedAccount) -> Silenced:
    """Neither hears or follows the other from now on."""
    _check_other(actor, other)
    if other.kind == "group":
        raise refusal("block_of_group", name=other.name, handle=other.handle)
    was = mutes.find_mute(session, actor.account.id, other.id)
    if was and was.kind == "block":
        return Silenced(other.name, other.handle, already=True)
    ended = mutes.block(session, actor.account.id, other.id)
    actor.did("silence", other.id, was=was.packed() if was else None, ended=ended)
    return Silenced(other.name, other.handle)


def mute(session: Session, actor: Actor, other: NamedAccount, until: datetime | None = None) -> Silenced:
    """Nothing of theirs comes any more, private or not."""
    _check_other(actor, other)
    was, wanted = mutes.find_mute(session, actor.account.id, other.id), MuteSnapshot("mute", until)
    if was and was.kind == "block":
        raise refusal("blocked_already", name=other.name, handle=other.handle)
    if was and was.expires_at is None and until:
        confirm_end(actor, "mute", other.name, until)
    if was == wanted:
        return Silenced(other.name, other.handle, already=True)
    mutes.put(session, actor.account.id, other.id, wanted)
    actor.did("silence", other.id, was=was.packed() if was else None, ended=[])
    return Silenced(other.name, other.handle, until=until, had_end=bool(was and was.expires_at))


def lift(session: Session, actor: Actor, other: NamedAccount) -> Lifted | None:
    """Ends a mute or a block; None when there was none. A muted source is on again, too."""
    was = mutes.lift(session, actor.account.id, other.id)
    if was is None:
        return None
    actor.did("lift", other.id, was=was.packed())
    if was.kind == "mute":
        follows.set_off(session, actor.account.id, other.id, False, None)
    return Lifted(other.name, other.handle, "block" if was.kind == "block" else "mute")


def unmute(session: Session, actor: Actor, other: NamedAccount) -> Lifted | None:
    """Ends whichever of the two there is; None when there was none."""
    _check_other(actor, other)
    return lift(session, actor, other)


def undo_silence(session: Session, actor: Actor, effect: Effect) -> Undone:
    """Restores what was before: the older mute or block, and the follows that a block ended."""
    assert effect.subject_id
    was, ended = MuteSnapshot.read(effect.detail["was"]), effect.detail["ended"]
    mutes.lift(session, actor.account.id, effect.subject_id)
    if was:
        mutes.put(session, actor.account.id, effect.subject_id, was)
    for follow in ended:
        follows.restore(session, follow)
    return Undone("unblocked" if ended else "heard", {"name": _name(session, effect)})


def undo_lift(session: Session, actor: Actor, effect: Effect) -> Undone:
    was = MuteSnapshot.read(effect.detail["was"])
    assert effect.subject_id
    assert was
    name = _name(session, effect)
    if was.kind == "block":
        mutes.block(session, actor.account.id, effect.subject_id)
        return Undone("blocked", {"name": name})
    mutes.put(session, actor.account.id, effect.subject_id, was)
    return Undone("muted", {"name": name})


def _check_other(actor: Actor, other: NamedAccount) -> None:
    if other.id == actor.account.id:
        raise refusal("self")


def _name(session: Session, effect: Effect) -> str:
    account = accounts.by_id(session, effect.subject_id or 0)
    if account is None:
        raise refusal("account_not_there")
    return account.name
