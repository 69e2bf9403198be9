"""The next digest as it stands now, in its order, as a mail and as a text; and its setting."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from flask import Response, request
from werkzeug.exceptions import BadRequest

from gateway.actions.preferences import digests
from gateway.actions.preferences.digests import DigestState
from gateway.doors.web.settings import ROUTER
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import say
from gateway.i18n.refusals import refusal
from gateway.network.digests import digest_words
from gateway.network.digests.digest_words import DigestPreview
from gateway.network.people import digest_settings
from gateway.network.people.digest_settings import ON_RETURN, DigestSetting
from gateway.sms import fit

EVERY: Final = ("day", "week", "back", "never")


@dataclass(frozen=True, slots=True)
class DigestCard:
    """`due`: when the next one comes, None for who has none; `waiting`: None when nothing waits; `as_text`: cut as a
    phone gets it."""

    state: DigestState
    due: datetime | None
    waiting: DigestPreview | None
    as_text: str


def load(visit: Visit) -> DigestCard:
    state = digests.state_of(visit.session, visit.actor)
    due = digest_settings.next_due(visit.session, visit.account.id, state.setting)
    waiting = digest_words.preview(visit.session, visit.account.id)
    return DigestCard(state, due.at, waiting, fit.fit(waiting.text).text if waiting else "")


@ROUTER.post("/settings/digest")
def save_digest(visit: Visit) -> Response:
    if "now" in request.form:
        return _send_now(visit)
    setting = _setting(visit)
    if setting is None:
        visit.do(digests.end_digests)
        visit.say(say("Digests are off: all comes one by one again."), undo=True)
    else:
        visit.do(digests.set_digest_time, setting)
        visit.say(say("Your digest is set."), undo=True)
    return visit.back("/settings")


def _send_now(visit: Visit) -> Response:
    state = visit.do(digests.send_digest)
    if state.channel is None:
        raise refusal("digest_nowhere")
    visit.say(say("It is on its way.") if state.waiting else say("Nothing waits for your digest."))
    return visit.back("/settings")


def _setting(visit: Visit) -> DigestSetting | None:
    """None: no digest."""
    every, at, day = visit.form("every", 10), visit.form("at", 10), visit.form("weekday", 1)
    if every not in EVERY or (every == "week" and day not in list("0123456")):
        raise BadRequest
    if every == "never":
        return None
    if every == "back":
        return ON_RETURN
    try:
        when = time.fromisoformat(at)
    except ValueError:
        raise refusal("digest_time") from None
    if when.tzinfo:
        raise refusal("digest_time")
    return DigestSetting(every, when.replace(second=0, microsecond=0), int(day) if every == "week" else None)
