"""What is old goes, a small batch at a time, so that the clock goes on ringing between. The clock and the command line
take the batches."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Engine

from gateway.ledger import retention
from gateway.ledger.retention import Ages, Kind
from gateway.settings import Settings
from gateway.store.database import transaction


def ages(settings: Settings) -> Ages:
    """As the settings say."""
    return Ages(
        raw=timedelta(days=settings.keep_raw_days),
        deliveries=timedelta(days=settings.keep_deliveries_days),
        consent=timedelta(days=settings.keep_consent_days),
        redact=settings.sms and settings.twilio_redact and bool(settings.twilio_account_sid),
    )


def batches(engine: Engine, old: Ages) -> Iterator[tuple[str, int]]:
    """One pass over everything: after each committed batch its kind's name, and how many rows changed."""
    for kind in retention.kinds(old):
        if kind.name == "messages":
            yield from _months(engine, old)
        yield from _of_kind(engine, kind, old)


def _of_kind(engine: Engine, kind: Kind, old: Ages) -> Iterator[tuple[str, int]]:
    while True:
        with transaction(engine) as session:
            changed = retention.batch(session, kind, old)
        if changed is None:
            return
        yield kind.name, changed


def _months(engine: Engine, old: Ages) -> Iterator[tuple[str, int]]:
    with transaction(engine) as session:
        past = retention.months(session, old.deliveries)
    for month in past:
        if month.open:
            continue  # critter retention shows it
        with transaction(engine) as session:
            dropped = retention.drop(session, month)
        if dropped:
            yield month.table, month.rows
