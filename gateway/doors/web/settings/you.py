"""You: name, language, how pages look, keys, and what Critter says by itself. Each has a form of its own; what others
see is asked before it is done."""

from typing import Final, cast

from flask import Response, request
from werkzeug.exceptions import BadRequest

from gateway.actions import offers, profile
from gateway.doors.web.settings import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import say
from gateway.network.people import discoverability
from gateway.network.web import web_settings
from gateway.network.web.web_settings import Look

LANGUAGES: Final = (("en", "English"), ("es", "Español"))
LOOKS: Final = ("light", "dark", "device")
SAVED: Final = say("Saved.")
SO_ALREADY: Final = say("It was so already.")


@ROUTER.page("/settings/you")
def you(visit: Visit) -> str:
    connects = discoverability.connects(visit.session, visit.account.id)
    return render(visit, "settings/you.html", connects=connects, languages=LANGUAGES)


@ROUTER.post("/settings/you/name")
def rename(visit: Visit) -> Response:
    """Everybody sees it, so the page asks first."""
    name, changed = visit.do(profile.rename, visit.form("name", 200))
    visit.say(say("You are called {name} now.", name=name) if changed else SO_ALREADY, undo=changed)
    return visit.back("/settings/you")


@ROUTER.post("/settings/you/language")
def set_language(visit: Visit) -> Response:
    return _saved(visit, visit.do(profile.set_language, visit.form("language", 20)))


@ROUTER.post("/settings/you/said")
def set_said(visit: Visit) -> Response:
    """One of the switches; which one stands in its button."""
    which, on = visit.form("which", 20), visit.form("on", 3) == "yes"
    match which:
        case "ack":
            changed = visit.do(profile.set_acknowledged, on)
        case "daily":
            changed = visit.do(profile.set_daily_mail, on)
        case "connect":
            changed = visit.do(offers.set_connecting, on)
        case _:
            raise BadRequest
    return _saved(visit, changed)


@ROUTER.post("/settings/you/look")
def set_look(visit: Visit) -> Response:
    look = visit.form("look", 10)
    if look not in LOOKS:
        raise BadRequest
    web_settings.set_look(visit.session, visit.account.id, None if look == "device" else cast("Look", look))
    web_settings.set_keys(visit.session, visit.account.id, "keys" in request.form)
    visit.say(SAVED)
    return visit.back("/settings/you")


def _saved(visit: Visit, changed: bool) -> Response:
    visit.say(SAVED if changed else SO_ALREADY, undo=changed)
    return visit.back("/settings/you")
