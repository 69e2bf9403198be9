"""What reaches somebody just now: where their texts and mails go, whether these are on, and how many came today."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, Literal

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gateway.attention import zones
from gateway.attention.wall_clock import first_at
from gateway.channels import EMAIL, PUSH, SMS
from gateway.network.people import zone_settings
from gateway.store.views import ADDRESSES, AddressNow

Flow = Literal["on", "off", "stopped", "bouncing", "waits"]


@dataclass(frozen=True, slots=True)
class MainAddress:
    """The phone or mailbox to which items go. `flow`: `stopped` after STOP, `waits` before it was proved; `until`: the
    end of an `off`; `today`: how many came there today."""

    id: int
    channel: str
    address: str
    flow: Flow
    until: datetime | None
    today: int

    @property
    def shown(self) -> str:
        """A mailbox, or the last two digits of a phone."""
        return self.address if self.channel == EMAIL else f"…{self.address[-2:]}"


@dataclass(frozen=True, slots=True)
class ReachState:
    """None where there is no phone, no mailbox or no device that gets pushes. The devices rest when the phone does."""

    phone: MainAddress | None
    mailbox: MainAddress | None
    devices: MainAddress | None = None

    @property
    def places(self) -> tuple[MainAddress, ...]:
        return tuple(each for each in (self.phone, self.mailbox) if each)

    @property
    def resting(self) -> tuple[MainAddress, ...]:
        """Those that can be paused by themselves."""
        return (*self.places, *([self.devices] if self.devices and not self.phone else []))

    @property
    def on(self) -> tuple[MainAddress, ...]:
        return tuple(each for each in self.places if each.flow == "on")

    @property
    def off(self) -> tuple[MainAddress, ...]:
        return tuple(each for each in self.places if each.flow == "off")

    @property
    def stopped(self) -> tuple[MainAddress, ...]:
        return tuple(each for each in self.places if each.flow == "stopped")


def find(session: Session, account_id: int) -> ReachState:
    main = select(AddressNow, ADDRESSES.c.off_now).where(AddressNow.account_id == account_id, AddressNow.is_primary)
    rows = session.execute(main).all()
    today = _count_today(session, account_id, [row[0].id for row in rows])
    found = {
        row.channel: MainAddress(
            row.id, row.channel, row.address, _flow(row.state, bool(off), row.bouncing_since), row.off_until,
            today.get(row.id, 0),
        )
        for row, off in rows
    }  # fmt: skip
    return ReachState(found.get(SMS), found.get(EMAIL), found.get(PUSH))


def _flow(state: str, off: bool, bouncing: datetime | None) -> Flow:
    if state != "verified":
        return "stopped" if state == "stopped" else "waits"
    return "bouncing" if bouncing else "off" if off else "on"


def _count_today(session: Session, account_id: int, addresses: list[int]) -> dict[int, int]:
    """Since midnight by their clock."""
    if not addresses:
        return {}
    now: datetime = session.execute(select(func.now())).scalar_one()
    zone = zone_settings.zone_now(session, account_id).name
    midnight = first_at(datetime.combine(zones.today(zone, now), time()), zones.zone(zone))
    rows = session.execute(TODAY, {"addresses": addresses, "midnight": midnight})
    return {row.address_id: row.number for row in rows}


TODAY: Final = text("""
    SELECT address_id, count(*) AS number FROM deliveries
    WHERE address_id = ANY (CAST(:addresses AS bigint[])) AND message_id >= id_at(:midnight)
      AND state IN ('sent', 'delivered', 'unknown')
    GROUP BY address_id
""")
