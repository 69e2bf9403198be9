"""Applies the status callbacks that the SMS door recorded. RQ calls `drain`; the door wakes it after it stored one."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.carriers.common.delivery_report import DeliveryReport
from gateway.carriers.instrumented import alarm
from gateway.carriers.parts import read_report
from gateway.channels import SMS
from gateway.ledger.outbox import attempt_reports
from gateway.ledger.outbox.attempt_reports import AttemptReport
from gateway.ledger.outbox.callbacks import mark_applied, open_callbacks
from gateway.ledger.senders import senders
from gateway.store.database import transaction
from gateway.store.tables import Attempt, Callback
from workers.effects import address_effects, alarms
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

BATCH: Final = 500
TURN: Final = 5.0  # seconds
PAUSE: Final = timedelta(minutes=1)  # as long as after a carrier's direct answer that asks for a pause
PAUSING: Final = ("pause_number", "pause_carrier")

log = structlog.get_logger()


def drain() -> None:
    drained("receipts", step, TURN)


def step(context: WorkerContext) -> bool:
    """Applies the oldest callbacks; returns False when there were none. A callback whose attempt is gone has no
    effect."""
    try:
        with transaction(context.engine) as session:
            found = open_callbacks(session, BATCH)
            _apply(session, found)
    except OperationalError:
        raise
    except Exception:
        log.exception("receipts cannot be applied together, so each is applied alone")
        return _one_by_one(context)
    return bool(found)


def _one_by_one(context: WorkerContext) -> bool:
    """A receipt that cannot be applied must not hold up the others: it is logged, and has no effect."""
    with transaction(context.engine) as session:
        found = open_callbacks(session, BATCH)
        for number in [one.id for one in found]:
            one = session.get_one(Callback, number)
            try:
                with session.begin_nested():
                    _apply(session, [one])
            except OperationalError:
                raise
            except Exception:
                log.exception("a receipt has no effect", callback=number)
                alarm(SMS, "callback")
                mark_applied([one])
    return bool(found)


def _apply(session: Session, found: Sequence[Callback]) -> None:
    reports = [(one, _read(one)) for one in found]
    known = [(one, report) for one, report in reports if report is not None]
    attempt_reports.advance(session, [_attempt_report(one, report) for one, report in known])
    _apply_effects(session, known)
    mark_applied(found)
    session.flush()


def _read(callback: Callback) -> DeliveryReport | None:
    """Reads a callback with the table of its own carrier; returns None for a status that the table does not have."""
    report = read_report(callback.carrier, callback.status, callback.reason)
    if report is None:
        alarm(SMS, "callback_status")
        log.warning("unheard-of status", callback=callback.id, carrier=callback.carrier, status=callback.status)
    return report


def _attempt_report(callback: Callback, report: DeliveryReport) -> AttemptReport:
    name, reason = callback.carrier_id or None, report.reason or None
    return AttemptReport(callback.attempt_id, name, report.step, reason, report.retries, report.slow)


def _apply_effects(session: Session, known: list[tuple[Callback, DeliveryReport]]) -> None:
    """Applies what the error codes say about the phones; only few callbacks carry such a code."""
    telling = {one.attempt_id: report for one, report in known if report.action != "none" or report.strikes}
    if not telling:
        return
    phones = session.execute(select(Attempt.id, Attempt.address_id).where(Attempt.id.in_(telling)))
    for attempt_id, address_id in phones.all():
        report = telling[attempt_id]
        address_effects.apply(session, address_id, report.action, report.reason, report.strikes)
    _pause(session, [(one, report) for one, report in known if report.action in PAUSING])
    alarms.raise_alarms(
        session, Counter(each.reason for each in telling.values() if each.action in address_effects.ALARMING)
    )


def _pause(session: Session, refused: Sequence[tuple[Callback, DeliveryReport]]) -> None:
    """Pauses a number, or a whole carrier, that may not send: the next texts wait. Each such callback prolongs it."""
    for callback, report in refused:
        if report.action == "pause_number":
            senders.pause_of(session, [callback.attempt_id], PAUSE, report.reason)
        else:
            senders.pause(session, None, callback.carrier, PAUSE, report.reason)
