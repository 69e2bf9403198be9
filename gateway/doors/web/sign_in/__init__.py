"""Signing in without a password, and the sessions that begin by it."""

from flask import Response, request

from gateway.doors.web.shell.room import Room
from gateway.doors.web.visits import cookies
from gateway.doors.web.visits.devices import describe
from gateway.doors.web.visits.visit import Visit, here, see_other
from gateway.network.web import web_sessions
from gateway.network.web.web_sessions import BeganBy
from gateway.store.tables import Account

ROOM = Room("sign_in")


def begin(visit: Visit, person: Account, by: BeganBy, to: str = "/") -> Response:
    """Signs somebody in and leads them where they wanted to go. The session that this browser had before ends."""
    if visit.viewer:
        web_sessions.end(visit.session, visit.viewer.account.id, visit.viewer.id)
    token = web_sessions.begin(visit.session, person, by, describe(request.headers.get("User-Agent", "")))
    answer = see_other(here(to))
    cookies.put(answer, visit.settings, cookies.SESSION, token)
    cookies.remove(answer, visit.settings, cookies.CODE)
    return answer
