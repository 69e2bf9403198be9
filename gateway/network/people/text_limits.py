"""How many texts somebody wants on one of their days, as they set it, and how many have come today."""

from datetime import date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.attention import zones
from gateway.attention.wall_clock import first_at
from gateway.ledger.money import daily_text_counts
from gateway.network.people import zone_settings
from gateway.store.tables import Account, Attention


def limit_of(session: Session, account_id: int) -> int | None:
    """None for all texts."""
    return session.scalar(select(Attention.texts_a_day).where(Attention.account_id == account_id))


def put(session: Session, account: Account, most: int | None) -> None:
    """What has come today counts from now on, also what came before there was a limit."""
    row = insert(Attention).values(account_id=account.id, texts_a_day=most)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_={"texts_a_day": most}))
    if most is not None:
        day, zone = _today(session, account.id)
        midnight = first_at(datetime.combine(day, time()), zones.zone(zone))
        daily_text_counts.begin(session, account.id, day, midnight, most)


def come_today(session: Session, account: Account) -> int:
    """How many of the texts of today have come, while there is a limit."""
    day, _ = _today(session, account.id)
    return daily_text_counts.used(session, account.id, day)


def _today(session: Session, account_id: int) -> tuple[date, str]:
    """The date by the clock of where they are, and that zone."""
    now: datetime = session.execute(select(func.now())).scalar_one()
    zone = zone_settings.zone_now(session, account_id).name
    return zones.today(zone, now), zone
