"""What reaches you: the one sentence that matters, the table of ways, quiet hours, and the next digest."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from gateway.actions.lookups.zone_state import zone_state
from gateway.actions.preferences import text_limit
from gateway.doors.web.settings import ROUTER, day_dial, digest_card, next_decision, push, way_rows
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.network.web import reach_state


@ROUTER.page("/settings")
def reach(visit: Visit) -> str:
    """`?address=`: whose quiet hours; `?spans=`: fields for so many spans; `?from=`: what would happen now."""
    now: datetime = visit.session.execute(select(func.now())).scalar_one()
    shown = {**_ways(visit), **_quiet(visit, now), "digest": digest_card.load(visit), "devices": push.listed(visit)}
    return render(visit, "settings/reach.html", **shown)


def _ways(visit: Visit) -> dict[str, Any]:
    return {
        "reach": reach_state.find(visit.session, visit.account.id),
        "ways": way_rows.load(visit.session, visit.actor),
        "limit": text_limit.state_of(visit.session, visit.actor),
        "looked": next_decision.look(visit, visit.number("from")),
        "looked_at": visit.number("from"),
    }


def _quiet(visit: Visit, now: datetime) -> dict[str, Any]:
    clock = zone_state(visit.session, visit.actor)
    mine = day_dial.addresses_with_hours(visit.session, visit.account.id)
    address = day_dial.choose(mine, visit.number("address"))
    return {
        "clock_now": clock,
        "addresses": mine,
        "address": address,
        "dial": day_dial.draw(visit.session, visit.account.id, address, clock, now) if address else None,
        "spans": day_dial.fields(address, visit.number("spans") or 0) if address else [],
    }
