"""Signing in without a password, and the sessions that begin by it."""

from flask import Response, request

from gateway.doors.web.shell.router import PageRouter
from gateway.doors.web.visits import cookies
from gateway.doors.web.visits.devices import describe
from gateway.doors.web.visits.visit import Visit, here, see_other
from gateway.network.web import web_sessions
from gateway.network.web.web_sessions import BeganBy
from gateway.store.tables import Account

ROUTER = PageRouter("sign_in")


def begin(visit: Visit, person: Account, by: BeganBy, to: str = "/") -> Response:
    """Signs somebody in and leads them where they wanted to go."""
    answer = see_other(here(to))
    put_session(visit, person, by, answer)
    return answer


def put_session(visit: Visit, person: Account, by: BeganBy, answer: Response) -> None:
    """Begins a session with this answer. The one that this browser had before ends."""
    if visit.viewer:
        web_sessions.end(visit.session, visit.viewer.account.id, visit.viewer.id)
    token = web_sessions.begin(visit.session, person, by, describe(request.headers.get("User-Agent", "")))
    cookies.put(answer, visit.settings, cookies.SESSION, token)
    cookies.remove(answer, visit.settings, cookies.CODE)
