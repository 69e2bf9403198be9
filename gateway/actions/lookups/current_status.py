"""The line beside one's own name now."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.network.people import statuses
from gateway.network.people.statuses import SetStatus


def status_now(session: Session, actor: Actor) -> SetStatus | None:
    return statuses.find(session, actor.account.id)
