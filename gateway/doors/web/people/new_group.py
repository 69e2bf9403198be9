"""Making a group. Everyone sees its name, so it is asked about first."""

from flask import Response
from werkzeug.exceptions import BadRequest

from gateway.actions.groups import group_creation
from gateway.doors.web.people import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import say
from gateway.network.people.accounts import ACCESS


@ROUTER.page("/groups/new")
def group_form(visit: Visit) -> str:
    return render(visit, "people/new_group.html", handle=visit.arg("handle", 20))


@ROUTER.post("/groups/new")
def make_group(visit: Visit) -> Response:
    handle, access = visit.form("handle", 40).lstrip("#").casefold(), visit.form("access", 10)
    if access not in ACCESS:
        raise BadRequest
    group = visit.do(group_creation.create_group, handle, access, visit.web.reserved, visit.form("name", 60))
    visit.say(say("{name} is ready. Others join it, or you add them.", name=group.name), undo=True)
    return see_other(f"/@{group.handle}")
