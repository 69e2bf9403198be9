"""How many texts a day somebody wants: further updates wait for their digest."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.actions.preferences import digests
from gateway.actions.preferences.digests import DRAIN, DigestState
from gateway.i18n.refusals import refusal
from gateway.ledger.outbox import held
from gateway.network.people import text_limits
from gateway.store.tables import Effect

MOST: Final = 500


@dataclass(frozen=True, slots=True)
class LimitState:
    """`most`: texts a day, None for all. `was`: before. `today`: how many have come today. `woken`: updates that were
    over it and come now; `digest`: where they go, and what waits for it."""

    most: int | None
    was: int | None
    today: int
    woken: int
    digest: DigestState


def set_limit(session: Session, actor: Actor, most: int | None) -> LimitState:
    """What was over the limit comes now when there is more room, in a digest."""
    if most is not None and not 1 <= most <= MOST:
        raise refusal("limit_out_of_range", most=MOST)
    was = text_limits.limit_of(session, actor.account.id)
    if was != most:
        actor.did("limit", actor.account.id, most=was)
    woken = _put(session, actor, was, most)
    return LimitState(most, was, _today(session, actor, most), woken, digests.state_of(session, actor))


def state_of(session: Session, actor: Actor) -> LimitState:
    most = text_limits.limit_of(session, actor.account.id)
    return LimitState(most, most, _today(session, actor, most), 0, digests.state_of(session, actor))


def undo_limit(session: Session, actor: Actor, effect: Effect) -> Undone:
    most: int | None = effect.detail["most"]
    _put(session, actor, text_limits.limit_of(session, actor.account.id), most)
    return Undone("text_limit", {"most": most})


def _put(session: Session, actor: Actor, was: int | None, most: int | None) -> int:
    """Items first: whoever sends texts locks them before it locks the counts of the day."""
    woken = held.wake_over(session, actor.account.id) if most is None or (was is not None and most > was) else 0
    if woken:
        actor.queues.add(DRAIN)
    if was != most:
        text_limits.put(session, actor.account, most)
    return woken


def _today(session: Session, actor: Actor, most: int | None) -> int:
    return text_limits.come_today(session, actor.account) if most is not None else 0
