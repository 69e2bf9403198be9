"""What all pages for operators share: their list, how many inputs are held, and how an address is shown."""

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

from markupsafe import Markup
from sqlalchemy import text

from gateway.attention.zones import zone
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import Phrase, say
from gateway.security.masking import last_two


class Place(NamedTuple):
    """One page of the list."""

    path: str
    symbol: str
    name: Phrase


PLACES: Final = (
    Place("/operate", "operate", say("Flow")),
    Place("/operate/deliveries", "send", say("Deliveries")),
    Place("/operate/undelivered", "warn", say("Undelivered")),
    Place("/operate/held", "held", say("Held")),
    Place("/operate/reports", "flag", say("Reports")),
    Place("/operate/numbers", "text", say("Numbers")),
    Place("/operate/costs", "costs", say("Costs")),
    Place("/operate/consent", "stop", say("Yes and no")),
    Place("/operate/people", "people", say("Who is here")),
    Place("/operate/audit", "audit", say("Audit log")),
    Place("/operate/settings", "settings", say("Settings in force")),
    Place("/operate/check", "check", say("Doctor")),
    Place("/operate/explain", "explain", say("Explain")),
)
HELD: Final = text("SELECT count(*) FROM (SELECT FROM inbound WHERE state IN ('held', 'quarantined') LIMIT 99) AS row")


def show(visit: Visit, template: str, **values: Any) -> str:
    """A page of operators; `command`: the same on the command line."""
    here = max((place for place in PLACES if _stands_on(visit.path, place)), key=lambda place: len(place.path))
    held = visit.session.scalar(HELD)
    shown = {"last_two": last_two, "stamp": partial(_stamp, visit.account.zone_now)}
    return render(visit, f"operate/{template}", places=PLACES, here=here, held=held, **shown, **values)


def _stamp(timezone: str, moment: str) -> Markup:
    """A moment of a story, with its milliseconds; with its day when it was not today."""
    at = datetime.fromisoformat(moment).astimezone(zone(timezone))
    today = datetime.now(UTC).astimezone(zone(timezone)).date()
    shown = f"{at:%H:%M:%S}.{at.microsecond // 1000:03}" if at.date() == today else f"{at:%Y-%m-%d %H:%M:%S}"
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), shown)


def _stands_on(path: str, place: Place) -> bool:
    if path.startswith("/operate/trace/"):
        return place.path == "/operate/deliveries"
    return path == place.path or path.startswith(f"{place.path}/")


def operator(visit: Visit) -> str:
    """Who acts, for the audit."""
    return f"@{visit.account.handle}"
