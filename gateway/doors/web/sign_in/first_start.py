"""The first start: whoever runs Critter becomes its first admin, by a link that is shown once on their console."""

from flask import Response, make_response
from werkzeug.exceptions import NotFound

from gateway.doors.web.shell.rendering import render
from gateway.doors.web.sign_in import ROUTER, begin
from gateway.doors.web.visits.visit import Visit
from gateway.errors import Refused
from gateway.network.people import accounts
from gateway.network.verification import first_admin
from gateway.store.tables import Account


@ROUTER.page("/first/<token>", "visitor")
def first(visit: Visit, token: str) -> str:
    _check(visit, token)
    return render(visit, "sign_in/first_start.html", name="", handle="", wrong="")


@ROUTER.post("/first/<token>", "visitor")
def begin_here(visit: Visit, token: str) -> Response:
    _check(visit, token)
    name, handle = visit.form("name", 60), visit.form("handle", 30)
    try:
        person = _make(visit, name, handle)
    except Refused as wrong:
        page = render(visit, "sign_in/first_start.html", name=name, handle=handle, wrong=wrong.text)
        return make_response(page, 422)
    return begin(visit, person, "first", "/settings/phones")


def _check(visit: Visit, token: str) -> None:
    """The link opens once: as soon as there is somebody who runs Critter it is dead."""
    if not first_admin.opens(visit.session, visit.web.signer, token):
        raise NotFound


def _make(visit: Visit, name: str, handle: str) -> Account:
    session = visit.session
    canonical = accounts.check_handle(session, handle, visit.web.reserved)
    person = accounts.create_person(session, canonical, accounts.clean_name(name))
    accounts.set_role(session, person.id, "admin")
    return person
