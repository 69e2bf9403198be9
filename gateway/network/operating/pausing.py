"""Pauses our numbers and the relay, and lets them go on. `critter carriers` and the page of numbers call it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from gateway.channels import SMS
from gateway.errors import Refused
from gateway.ledger.audit import audit_log
from gateway.ledger.money import spend_breaker
from gateway.ledger.senders import pauses
from gateway.ledger.senders.pauses import RELAY, Paused
from gateway.network.operating.audit_reasons import LONGEST
from gateway.settings import Settings


def list_senders(session: Session, settings: Settings) -> list[Paused]:
    """Our numbers and the relay, those whose channel is on."""
    on = {RELAY: settings.mail}
    return [row for row in pauses.list_pauses(session) if on.get(row.carrier, settings.sms)]


def pause(
    session: Session, settings: Settings, which: str, wait: timedelta | None, actor: str, reason: str
) -> Sequence[Paused]:  # fmt: skip
    """Nothing leaves there; what is to go waits and loses nothing. Without `wait` until somebody resumes it."""
    rows = pauses.pause(session, which, wait, f"{actor.lstrip('@')}: {(reason or 'paused')[:LONGEST]}")
    _refuse_unknown(session, settings, rows, which)
    _record(session, rows, actor, "carrier.pause", {"seconds": wait.total_seconds() if wait else None})
    return rows


def resume(session: Session, settings: Settings, which: str, actor: str) -> Sequence[Paused]:
    """What waited leaves, within some seconds."""
    rows = pauses.resume(session, which)
    _refuse_unknown(session, settings, rows, which)
    _record(session, rows, actor, "carrier.resume", {})
    return rows


def resume_updates(session: Session, actor: str) -> bool:
    """Lets updates go that the breaker stopped; False when they were not stopped."""
    done = spend_breaker.resume(session)
    if done:
        audit_log.record(session, actor, "breaker.resume", None, {})
    return done


WAKES: tuple[str, ...] = (SMS,)  # after resume_updates


def _refuse_unknown(session: Session, settings: Settings, rows: Sequence[Paused], which: str) -> None:
    if rows:
        return
    known = dict.fromkeys(name for row in list_senders(session, settings) for name in (row.carrier, row.number))
    raise Refused(f"Nothing of ours is called {which!r}. There is: {', '.join(known) or 'nothing yet'}.")


def _record(session: Session, rows: Sequence[Paused], actor: str, action: str, detail: dict[str, Any]) -> None:
    """Records the action for each number by its id, because the audit holds no numbers."""
    for row in rows:
        audit_log.record(session, actor, action, row.id, {**detail, "carrier": row.carrier})
