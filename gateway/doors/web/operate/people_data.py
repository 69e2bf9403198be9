"""Somebody's data, for an admin: everything that is kept as a file, and being erased. Both are confirmed with the
person's name, and both are in the audit."""

from flask import Response
from werkzeug.exceptions import NotFound

from gateway.doors.web.operate import ROUTER, people
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.shell import personal_export
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.errors import Refused
from gateway.i18n.phrases import say
from gateway.network.people import erase
from gateway.network.people.handles import plain
from gateway.store.tables import Account


@ROUTER.page("/operate/people/<handle>/data", "admin")
def data(visit: Visit, handle: str) -> str:
    """What there is of theirs, counted."""
    found = people.find(visit, handle)
    return show(visit, "people_data.html", person=found, counts=erase.preview(visit.session, found))


@ROUTER.post("/operate/people/<handle>/export", "admin")
def export_person(visit: Visit, handle: str) -> Response:
    found = people.find(visit, handle)
    _confirm(visit, found)
    return personal_export.send(visit, found)


@ROUTER.post("/operate/people/<handle>/erase", "admin")
def erase_person(visit: Visit, handle: str) -> Response:
    """In a transaction of its own, as the command does it. It cannot be undone."""
    found = people.find(visit, handle)
    people.refuse_oneself(visit, found)
    _confirm(visit, found)
    tools = visit.web.tools
    if tools is None:
        raise NotFound
    name = found.name
    tools.erase(visit.web.engine, visit.settings.var, found.id, operator(visit))
    visit.say(say("{name} is erased. What others answered them stays, below a nameless mark.", name=name))
    return see_other("/operate/people")


def _confirm(visit: Visit, person: Account) -> None:
    if plain(visit.form("name", 100)) != plain(person.name):
        raise Refused(say("Type their name as it stands there: {name}.", name=person.name))
