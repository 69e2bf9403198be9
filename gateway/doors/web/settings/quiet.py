"""Setting quiet hours of one phone or mailbox, and the clock by which they go."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Final

from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from gateway.actions.model.actor import Actor
from gateway.actions.preferences import quiet_hours, zone
from gateway.attention import zones
from gateway.attention.zones import ZoneNow
from gateway.doors.web.settings import ROUTER, day_dial
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import count, say
from gateway.i18n.refusals import refusal
from gateway.language.words import durations, quiet_spans, time_zones
from gateway.language.words.quiet_spans import QuietSpan
from gateway.network.people import addresses

UNTIL: Final = ("till tomorrow", "till monday", "till sunday", "1w", "2w")


@ROUTER.post("/settings/quiet")
def save_quiet(visit: Visit) -> Response:
    """No span: no quiet hours."""
    hours = None if "off" in request.form else _hours()
    address = visit.form("address", 20)
    if not (address.isascii() and address.isdecimal()):
        raise BadRequest
    waited = visit.do(set_hours, int(address), hours)
    comes = count("{count} update waited and comes now.", "{count} updates waited and come now.", waited)
    saved = say("Quiet hours are saved.") if hours else say("Quiet hours are off.")
    visit.say(comes if waited else saved, undo=True)
    return visit.back("/settings")


def set_hours(session: Session, actor: Actor, address_id: int, hours: str | None) -> int:
    row = addresses.own(session, actor.account.id, address_id)
    return quiet_hours.set_hours(session, actor, row, hours).waiting


def _hours() -> str | None:
    """As the database has them. Fields of a span that are all empty count for nothing."""
    spans = [span for number in range(day_dial.MOST_SPANS) if (span := _span(number))]
    written = quiet_spans.write(spans)
    if spans and written is None:
        raise refusal("quiet_all_day")
    return written


def _span(number: int) -> QuietSpan | None:
    begin, end = (request.form.get(f"{name}.{number}", "").strip() for name in ("from", "to"))
    if not begin and not end:
        return None
    return _read_span(begin, end, request.form.getlist(f"day.{number}"))


def _read_span(begin: str, end: str, days: Sequence[str]) -> QuietSpan:
    """Raises Refused for a span without a day, or with one time only."""
    try:
        times = time.fromisoformat(begin), time.fromisoformat(end)
    except ValueError:
        raise refusal("quiet_incomplete") from None
    numbers = tuple(sorted({int(day) for day in days if day in list("0123456")}))
    if not numbers or times[0].tzinfo or times[1].tzinfo:
        raise refusal("quiet_incomplete")
    return QuietSpan(numbers, times[0].replace(second=0, microsecond=0), times[1].replace(second=0, microsecond=0))


@ROUTER.post("/settings/zone")
def save_zone(visit: Visit) -> Response:
    if "home" in request.form:
        clock = visit.do(zone.go_home)
    else:
        clock = visit.do(set_zone, visit.form("zone", 64), visit.form("until", 20))
    visit.say(say("Your clock is on {place} time.", place=time_zones.place(clock.name)), undo=True)
    return visit.back("/settings")


def set_zone(session: Session, actor: Actor, written: str, until: str) -> ZoneNow:
    """Whoever names a place means its zone; what several places are called is asked back."""
    found = time_zones.find(written, actor.account.language)
    if len(found.exact) != 1:
        raise _no_zone(written, found.exact or found.near)
    if until and until not in UNTIL:
        raise BadRequest
    end = durations.ends(until, datetime.now(zones.zone(found.exact[0]))) if until else None
    return zone.set_zone(session, actor, found.exact[0], end)


def _no_zone(written: str, near: Sequence[str]) -> Exception:
    return refusal("zone_not_found", word=written[:30], zones=", ".join(map(time_zones.place, near[:3])) or "Tokyo")
