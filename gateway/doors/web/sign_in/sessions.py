"""Signing out; and, while everything is simulated, looking at the pages as one of the made-up people."""

from flask import Response
from werkzeug.exceptions import NotFound

from gateway.doors.web.sign_in import ROUTER, begin
from gateway.doors.web.visits import cookies
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.network.people import accounts
from gateway.network.web import web_sessions


@ROUTER.post("/sign-out")
def sign_out(visit: Visit) -> Response:
    assert visit.viewer is not None
    web_sessions.end(visit.session, visit.account.id, visit.viewer.id)
    answer = see_other("/sign-in")
    cookies.remove(answer, visit.settings, cookies.SESSION)
    return answer


@ROUTER.page("/as/<handle>", "visitor")
def open_as(visit: Visit, handle: str) -> Response:
    """The tour's "open the web as …". There is no such page where people are real: nothing is signed in by a GET
    there."""
    person = accounts.by_handle(visit.session, handle) if handle in visit.web.simulated_people else None
    if person is None or visit.settings.mode != "simulated":
        raise NotFound
    return begin(visit, person, "tour")
