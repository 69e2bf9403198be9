"""Where one is signed in, and signing out there."""

from flask import Response
from werkzeug.exceptions import NotFound

from gateway.doors.web.settings import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits import cookies
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import count, say
from gateway.network.apps import app_tokens
from gateway.network.web import web_sessions


@ROUTER.page("/settings/signed-in")
def signed_in(visit: Visit) -> str:
    sessions = web_sessions.list_open(visit.session, visit.account.id)
    apps = app_tokens.list_authorized(visit.session, visit.account.id)
    return render(visit, "settings/signed_in.html", sessions=sessions, elsewhere=len(sessions) - 1 + len(apps))


@ROUTER.post("/settings/signed-in/<int:session_id>/end")
def end_session(visit: Visit, session_id: int) -> Response:
    """One of somebody else is as if there were none."""
    assert visit.viewer is not None
    if not web_sessions.end(visit.session, visit.account.id, session_id):
        raise NotFound
    if session_id == visit.viewer.id:
        answer = see_other("/sign-in")
        cookies.remove(answer, visit.settings, cookies.SESSION)
        return answer
    visit.say(say("Signed out there."))
    return visit.back("/settings/signed-in")


@ROUTER.post("/settings/signed-in/end-others")
def end_others(visit: Visit) -> Response:
    """Apps count as places, too: whoever had a session of somebody else may have let one in."""
    assert visit.viewer is not None
    ended = web_sessions.end_all(visit.session, visit.account.id, but=visit.viewer.id)
    ended += app_tokens.end_all(visit.session, visit.account.id)
    visit.say(count("Signed out in {count} other place.", "Signed out in {count} other places.", ended))
    return visit.back("/settings/signed-in")
