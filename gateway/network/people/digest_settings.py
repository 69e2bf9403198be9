"""How often and when somebody's digest comes, as they set it."""

from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.attention import digest_slots
from gateway.attention.digest_slots import Slot
from gateway.store.tables import Account, Attention, Digest

REGULAR = ("day", "week")  # kinds of digests


@dataclass(frozen=True, slots=True)
class DigestSetting:
    """`every`: day, week, or None for no digest. `weekday`: of a weekly one, 0 is Monday."""

    every: str | None = None
    at: time = time(8)
    weekday: int | None = None

    def pack(self) -> dict[str, Any]:
        """In the form in which an effect keeps it."""
        return {**asdict(self), "at": self.at.isoformat("minutes")}

    @classmethod
    def unpack(cls, packed: dict[str, Any]) -> "DigestSetting":
        return cls(packed["every"], time.fromisoformat(packed["at"]), packed["weekday"])


DAILY = DigestSetting("day")


def setting_of(session: Session, account_id: int) -> DigestSetting:
    row = session.get(Attention, account_id, populate_existing=True)
    return DigestSetting(row.digest_every, row.digest_at, row.digest_weekday) if row else DigestSetting()


def put(session: Session, account_id: int, setting: DigestSetting) -> None:
    values = {
        "digest_every": setting.every,
        "digest_at": setting.at,
        "digest_weekday": setting.weekday,
    }
    row = insert(Attention).values(account_id=account_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=values))


def next_slot(session: Session, account: Account, setting: DigestSetting) -> Slot | None:
    """When it comes next; None when there is none."""
    if setting.every is None:
        return None
    now: datetime = session.execute(select(func.now())).scalar_one()
    had = select(func.max(Digest.slot)).where(Digest.account_id == account.id, Digest.kind.in_(REGULAR))
    return digest_slots.due_next(setting.every, setting.at, setting.weekday, account.timezone, now, session.scalar(had))
