"""The apps that somebody let in, and putting them out."""

from flask import Response
from werkzeug.exceptions import NotFound

from gateway.doors.web.settings import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.shell.scope_words import describe
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import count, say
from gateway.network.apps import app_tokens


@ROUTER.page("/settings/apps")
def let_in(visit: Visit) -> str:
    found = app_tokens.list_authorized(visit.session, visit.account.id)
    return render(visit, "settings/apps.html", apps=[(each, describe(each.scopes)) for each in found])


@ROUTER.post("/settings/apps/<int:token_id>/put-out")
def put_out(visit: Visit, token_id: int) -> Response:
    """One of somebody else is as if there were none."""
    if not app_tokens.end(visit.session, visit.account, token_id):
        raise NotFound
    visit.say(say("It is put out, and can do nothing for you any more."))
    return visit.back("/settings/apps")


@ROUTER.post("/settings/apps/put-all-out")
def put_all_out(visit: Visit) -> Response:
    ended = app_tokens.end_all(visit.session, visit.account.id)
    visit.say(count("{count} app is put out.", "{count} apps are put out.", ended))
    return visit.back("/settings/apps")
