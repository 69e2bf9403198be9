"""The line beside one's own name, set on one's own page and in the settings."""

from datetime import datetime

from flask import Response

from gateway.actions import profile
from gateway.attention.zones import zone
from gateway.doors.web.people import ROUTER, named
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import say
from gateway.i18n.refusals import refusal
from gateway.language.words import durations
from gateway.network.people import statuses


@ROUTER.post("/status")
def set_status(visit: Visit) -> Response:
    """`until`: as a text has it, like "till 4" or "2h"; a bare clock time or day is meant as its end."""
    words = visit.form("words", 1_000)
    if not words:
        return end_status(visit)
    done = visit.do(profile.set_status, words, _end(visit))
    assert done.status
    if done.already:
        visit.say(say("That is your status already."))
    elif done.status.until:
        until = named.local(visit, done.status.until)
        visit.say(say("Your status: {words}, till {time}.", words=done.status.words, time=until), undo=True)
    else:
        visit.say(say("Your status: {words}.", words=done.status.words), undo=True)
    return visit.back("/@me")


@ROUTER.post("/status/off")
def end_status(visit: Visit) -> Response:
    done = visit.do(profile.end_status)
    visit.say(say("You have no status.") if done.already else say("Your status is off."), undo=not done.already)
    return visit.back("/@me")


def _end(visit: Visit) -> datetime | None:
    written = visit.form("until", 40).casefold()
    if not written:
        return _same_end(visit)
    canonical = durations.duration(written) or durations.duration(f"till {written}")
    if canonical is None:
        raise refusal("status_end", words=written)
    return durations.ends(canonical, datetime.now(zone(visit.account.zone_now)))


def _same_end(visit: Visit) -> datetime | None:
    """Whoever saves the form as it stands keeps the end that there is."""
    now = statuses.find(visit.session, visit.account.id)
    return now.until if now and now.words == visit.form("words", 1_000) else None
