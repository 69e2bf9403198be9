"""Adding one person: a form with what `critter people add` takes. What is wrong is said above it; nothing is lost."""

from dataclasses import fields
from typing import Final

from flask import Response, make_response, request

from gateway.channels import SMS
from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.errors import Refused
from gateway.i18n.phrases import languages, say
from gateway.network.operating import adding, welcoming
from gateway.network.operating.adding import NewPerson

SEVERAL: Final = ("phones", "mailboxes", "groups", "follows")  # fields with one or more, parted by commas
FIELDS: Final = tuple(each.name for each in fields(NewPerson))


@ROUTER.page("/operate/people/new", "operator")
def form(visit: Visit) -> str:
    return _page(visit, {})


@ROUTER.post("/operate/people/new", "operator")
def add(visit: Visit) -> Response:
    trial = visit.session.begin_nested()
    try:
        added = adding.add(visit.session, visit.settings, _typed(visit), operator(visit), visit.web.reserved)
    except Refused as refused:
        trial.rollback()
        return make_response(_page(visit, request.form.to_dict(), refused.text), 422)
    welcoming.welcome_few(visit.session, visit.settings, operator(visit))
    visit.queues.add(SMS)
    visit.say(say("{name} is here, as @{handle}.", name=added.account.name, handle=added.account.handle))
    return see_other(f"/operate/people/{added.account.handle}")


def _typed(visit: Visit) -> NewPerson:
    given = {name: visit.form(name, 300) for name in FIELDS}
    several = {name: [each.strip() for each in given[name].split(",") if each.strip()] for name in SEVERAL}
    return NewPerson(**{**given, **several})  # type: ignore[arg-type]


def _page(visit: Visit, typed: dict[str, str], wrong: str = "") -> str:
    given = {name: typed.get(name, "") for name in FIELDS}
    given |= {"language": given["language"] or "en", "timezone": given["timezone"] or visit.account.timezone}
    return show(visit, "people_add.html", typed=given, wrong=wrong, languages=sorted(languages()))
