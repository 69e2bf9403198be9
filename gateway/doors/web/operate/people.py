"""Who is here: roles, phones and mailboxes; one person with what an operator may see of them; suspended and brought
back, given a role, or a code for a new phone."""

from typing import Final

from flask import Response
from werkzeug.exceptions import Forbidden, NotFound

from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.errors import Refused
from gateway.i18n.phrases import say
from gateway.ledger.audit import audit_log
from gateway.network.inspect import people_list, profile
from gateway.network.operating import people as operating
from gateway.network.operating.audit_reasons import LONGEST
from gateway.network.people import accounts
from gateway.security.masking import last_two
from gateway.store.tables import Account

ROLES: Final = ("member", "operator", "admin")


@ROUTER.page("/operate/people", "operator")
def people(visit: Visit) -> str:
    """`?q=`: how a name begins; `?all=1`: the deactivated too; `?after=`: the next page."""
    words, everybody = visit.arg("q", 60), bool(visit.arg("all"))
    rows, more = people_list.list_people(visit.session, words.lstrip("@"), visit.arg("after", 30), everybody=everybody)
    return show(visit, "people.html", rows=rows, more=more, words=words, everybody=everybody)


@ROUTER.page("/operate/people/<handle>", "operator")
def person(visit: Visit, handle: str) -> str:
    """That an operator looked is kept, as for the command."""
    return _page(visit, find(visit, handle))


def _page(visit: Visit, found: Account, code: str | None = None) -> str:
    shown = profile.profile(visit.session, found, last_two)
    audit_log.record(visit.session, operator(visit), "people.show", found.id, {"numbers": False})
    above = _is_above(visit, found)
    return show(visit, "person.html", person=found, shown=shown, code=code, roles=ROLES, above=above)


def find(visit: Visit, handle: str) -> Account:
    found = accounts.by_handle(visit.session, handle, active=False)
    if found is None or found.kind != "person":
        raise NotFound
    return found


def _is_above(visit: Visit, person: Account) -> bool:
    """Whether they have a higher role: who may stop an admin, or put a phone in their name, would be one."""
    return ROLES.index(person.role) > ROLES.index(visit.account.role)


def _refuse_above(visit: Visit, person: Account) -> None:
    if _is_above(visit, person):
        raise Forbidden


def refuse_oneself(visit: Visit, person: Account) -> None:
    if person.id == visit.account.id:
        raise Refused(say("That is you: ask another admin."))


@ROUTER.post("/operate/people/<handle>/role", "admin")
def set_role(visit: Visit, handle: str) -> Response:
    found = find(visit, handle)
    refuse_oneself(visit, found)
    role = visit.form("role", 20)
    operating.set_role(visit.session, found, role, operator(visit))
    names = {"member": say("a member"), "operator": say("an operator"), "admin": say("an admin")}
    visit.say(say("{name} is {role} now.", name=found.name, role=names[role]))
    return see_other(f"/operate/people/{found.handle}")


@ROUTER.post("/operate/people/<handle>/suspend", "operator")
def suspend_person(visit: Visit, handle: str) -> Response:
    found = find(visit, handle)
    _refuse_above(visit, found)
    refuse_oneself(visit, found)
    operating.suspend(visit.session, found, operator(visit), visit.form("reason", LONGEST))
    visit.say(say("{name} is suspended. What is on its way already may still arrive.", name=found.name))
    return see_other(f"/operate/people/{found.handle}")


@ROUTER.post("/operate/people/<handle>/restore", "operator")
def restore_person(visit: Visit, handle: str) -> Response:
    found = find(visit, handle)
    _refuse_above(visit, found)
    operating.restore(visit.session, found, operator(visit))
    visit.say(say("{name} is back, with all they had.", name=found.name))
    return see_other(f"/operate/people/{found.handle}")


@ROUTER.post("/operate/people/<handle>/code", "operator")
def make_code(visit: Visit, handle: str) -> str:
    """The answer is the page with the code: it may stand in no address, and is shown once."""
    found = find(visit, handle)
    _refuse_above(visit, found)
    return _page(visit, found, operating.make_link_code(visit.session, visit.web.signer, found, operator(visit)))
