"""The zone of a person's clock now, and where they are at home."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.attention.zones import ZoneNow
from gateway.network.people import zone_settings


def zone_state(session: Session, actor: Actor) -> ZoneNow:
    return zone_settings.zone_now(session, actor.account.id)
