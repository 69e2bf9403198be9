"""Who wants to be found by what they wrote, and to be offered people to ask."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.network.people import connecting
from gateway.store.tables import Effect


def set_connecting(session: Session, actor: Actor, wanted: bool) -> bool:
    """False when it is so already."""
    if connecting.connects(session, actor.account.id) == wanted:
        return False
    connecting.put(session, actor.account.id, wanted)
    actor.did("connect", actor.account.id, wanted=wanted)
    return True


def undo_connecting(session: Session, actor: Actor, effect: Effect) -> Undone:
    before = not effect.detail["wanted"]
    connecting.put(session, actor.account.id, before)
    return Undone("connecting" if before else "not_connecting")
