"""How often and when somebody's digest comes, as they set it."""

from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.attention import digest_slots
from gateway.network.people import zone_settings
from gateway.store.tables import Attention, Digest

REGULAR = ("day", "week")  # kinds of digests


@dataclass(frozen=True, slots=True)
class DigestSetting:
    """`every`: day, week, back (when they are back), or None for no digest. `weekday`: of a weekly one, 0 is Monday."""

    every: str | None = None
    at: time = time(8)
    weekday: int | None = None

    def pack(self) -> dict[str, Any]:
        """In the form in which an effect keeps it."""
        return {**asdict(self), "at": self.at.isoformat("minutes")}

    @classmethod
    def unpack(cls, packed: dict[str, Any]) -> "DigestSetting":
        return cls(packed["every"], time.fromisoformat(packed["at"]), packed["weekday"])


class NextDigest(NamedTuple):
    """`at`: None for who has none; `slot`: its date, for those that have one."""

    at: datetime | None
    slot: datetime | None


DAILY = DigestSetting("day")
ON_RETURN = DigestSetting("back")


def setting_of(session: Session, account_id: int) -> DigestSetting:
    row = session.get(Attention, account_id, populate_existing=True)
    if row is None:
        return DigestSetting()
    back = row.digest_back and row.digest_every == "day"
    return DigestSetting("back" if back else row.digest_every, row.digest_at, row.digest_weekday)


def put(session: Session, account_id: int, setting: DigestSetting) -> None:
    """A digest for when they are back is kept as a daily one with a mark: processes of the version before send it
    daily."""
    back = setting.every == "back"
    values = {
        "digest_every": "day" if back else setting.every,
        "digest_at": setting.at,
        "digest_weekday": setting.weekday,
        "digest_back": back,
    }
    row = insert(Attention).values(account_id=account_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=values))


def next_due(session: Session, account_id: int, setting: DigestSetting) -> NextDigest:
    """When it comes next, if nothing brings it before."""
    now: datetime = session.execute(select(func.now())).scalar_one()
    if setting.every is None:
        return NextDigest(None, None)
    if setting.every == "back":
        return NextDigest(now + digest_slots.LONGEST_AWAY, None)
    had = select(func.max(Digest.slot)).where(Digest.account_id == account_id, Digest.kind.in_(REGULAR))
    clock, last = zone_settings.zone_now(session, account_id), session.scalar(had)
    slot = digest_slots.due_next(setting.every, setting.at, setting.weekday, clock, now, last)
    return NextDigest(slot.instant, slot.wall)
