"""The line beside one's name. Everyone sees it, so words that were private are confirmed first, as in an update."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.actions.private_words import confirm_repeat
from gateway.i18n.refusals import refusal
from gateway.language.words.normalize import clean
from gateway.network.people import statuses
from gateway.network.people.statuses import LONGEST, SetStatus
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Effect


@dataclass(frozen=True, slots=True)
class StatusChange:
    """`status`: as it is now, None when there is none. `already`: it was so before."""

    status: SetStatus | None
    already: bool = False


def set_status(session: Session, actor: Actor, words: str, until: datetime | None = None) -> StatusChange:
    """`until`: when it ends by itself. Raises Refused for no words, for too many, and for an end that is over."""
    line = " ".join(clean(words).split())
    if not line:
        raise refusal("status_empty")
    if len(line) > LONGEST:
        raise refusal("status_too_long", most=LONGEST)
    if until and until <= datetime.now(UTC):
        raise refusal("status_over")
    confirm_repeat(session, actor, NewPost(actor.account, line, "company", actor.door))
    return _change(session, actor, SetStatus(line, until))


def end_status(session: Session, actor: Actor) -> StatusChange:
    return _change(session, actor, None)


def _change(session: Session, actor: Actor, wanted: SetStatus | None) -> StatusChange:
    was = statuses.find(session, actor.account.id)
    if was == wanted:
        return StatusChange(was, already=True)
    statuses.put(session, actor.account.id, wanted)
    actor.did("status", actor.account.id, before=was.pack() if was else None)
    return StatusChange(wanted)


def undo_status(session: Session, actor: Actor, effect: Effect) -> Undone:
    """One that would have ended meanwhile does not come back."""
    before = SetStatus.unpack(effect.detail["before"])
    if before and before.until and before.until <= datetime.now(UTC):
        before = None
    statuses.put(session, actor.account.id, before)
    return Undone("status", {"before": before.pack() if before else None, "timezone": actor.account.zone_now})
