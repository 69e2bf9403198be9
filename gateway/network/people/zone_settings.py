"""In which time zone somebody is for now, as they said; where they live is kept with their account."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.attention.zones import ZoneNow
from gateway.store.tables import Account, Attention
from gateway.store.views import ZONES


def zone_now(session: Session, account_id: int) -> ZoneNow:
    row = session.execute(select(ZONES).where(ZONES.c.account_id == account_id)).one()
    return ZoneNow(row.zone, row.until, row.home)


def set_zone(session: Session, account_id: int, zone: str | None, until: datetime | None = None) -> None:
    """`zone`: an IANA name; None when they are home."""
    values = {"zone": zone, "zone_until": until}
    row = insert(Attention).values(account_id=account_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=values))
    account = session.get_one(Account, account_id)
    account.zone_since = func.now()
    session.flush()
    session.expire(account, ["zone_now"])


def zone_set(session: Session, account_id: int) -> dict[str, Any]:
    """What `zone` would change, in the form from which `undo` restores it."""
    row = session.get(Attention, account_id, populate_existing=True)
    until = row.zone_until if row else None
    return {"zone": row.zone if row else None, "until": until.isoformat() if until else None}
