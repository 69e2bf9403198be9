"""Sends invited phones their one text: who we are, STOP and HELP. `critter people welcome`, and whoever imports people,
call it."""

from sqlalchemy.orm import Session

from gateway.ledger.audit import audit_log
from gateway.network.people import welcomes
from gateway.settings import Settings


def welcome_all(session: Session, settings: Settings, actor: str) -> int:
    """All that wait; nobody is welcomed twice. Returns how many."""
    welcomed = welcomes.send(session, settings.company)
    audit_log.record(session, actor, "people.welcome", None, {"phones": welcomed})
    return welcomed


def welcome_few(session: Session, settings: Settings, actor: str) -> tuple[int, int]:
    """After an import: a few are welcomed at once, many only after somebody has seen the price. Returns how many were,
    and how many still wait."""
    waiting = welcomes.waiting(session) if settings.sms else 0
    if waiting and waiting <= settings.ask_phones:
        return welcome_all(session, settings, actor), 0
    return 0, waiting
