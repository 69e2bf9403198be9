"""What lost workers left behind: leases that ran out are taken back. The clock calls `sweep` every few seconds."""

from datetime import timedelta

import structlog

from gateway import listening
from gateway.ledger import inbox, settlements, tallies
from gateway.store.database import transaction
from workers.room import Room

log = structlog.get_logger()


def sweep(here: Room) -> None:
    """Takes the rows back, and says which were set aside after their third crash. The clock rings for the rest."""
    look = timedelta(seconds=here.settings.settle_seconds)
    with transaction(here.engine) as session:
        again, aside = inbox.expire(session)
    tallies.add("lease_expiries", "inbound", amount=again + len(aside))
    if again:
        log.warning("inbound was left behind", rows=again)
    for inbound in aside:
        log.error("inbound is set aside: it ended three workers", inbound=inbound)
        _apologise(here, inbound)
    with transaction(here.engine) as session:
        expired = settlements.expire(session, look)
        late = settlements.give_up(session)
    tallies.add("lease_expiries", "delivery", amount=expired.rows)
    if expired.channels:
        log.warning("deliveries were left behind", channels=sorted(expired.channels))
    if late:
        log.warning("deliveries were given up", rows=late)
    for message, address in expired.quarantined:
        log.error("delivery is set aside: it ended three workers", message=message, address=address)


def _apologise(here: Room, inbound: int) -> None:
    """Its writer is told: every text gets an answer, also the one that broke us."""
    with transaction(here.engine) as session:
        channel = listening.apologise(session, inbound)
    if channel:
        here.bell.ring(channel)
