"""What comes by push or on the web alone and is written to its reader: when it goes to their phone, too, unless they
saw it."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.actions.preferences.digests import DRAIN
from gateway.i18n.refusals import refusal
from gateway.ledger.outbox import held
from gateway.network.follows import reachability
from gateway.network.people import way_choices
from gateway.network.presence import unseen_settings
from gateway.store.tables import Effect

MOST: Final = 120  # minutes


@dataclass(frozen=True, slots=True)
class UnseenState:
    """`minutes`: after how long it goes to the phone; None: it stays on the web. `already`: that was so before.
    `quiet`: anything that is written to them comes by push or on the web alone; else this changes nothing yet."""

    minutes: int | None
    already: bool
    quiet: bool


def set_unseen(session: Session, actor: Actor, minutes: int | None) -> UnseenState:
    """What waits on the web already keeps its time; when it is to stay there, it does."""
    if minutes is not None and not 1 <= minutes <= MOST:
        raise refusal("unseen_out_of_range", most=MOST)
    if minutes is not None and not reachability.has_phone(session, actor.account.id):
        raise refusal("no_phone")
    was = unseen_settings.minutes_of(session, actor.account.id)
    if was != minutes:
        actor.did("unseen", actor.account.id, minutes=was)
        _put(session, actor, minutes)
    return UnseenState(minutes, was == minutes, _is_quiet(session, actor))


def state_of(session: Session, actor: Actor) -> UnseenState:
    return UnseenState(unseen_settings.minutes_of(session, actor.account.id), True, _is_quiet(session, actor))


def undo_unseen(session: Session, actor: Actor, effect: Effect) -> Undone:
    minutes: int | None = effect.detail["minutes"]
    _put(session, actor, minutes)
    return Undone("unseen", {"minutes": minutes})


def _put(session: Session, actor: Actor, minutes: int | None) -> None:
    unseen_settings.put(session, actor.account.id, minutes)
    if minutes is None and held.wake_person(session, actor.account.id):
        actor.queues.add(DRAIN)


def _is_quiet(session: Session, actor: Actor) -> bool:
    return way_choices.is_addressed_quietly(session, actor.account.id)
