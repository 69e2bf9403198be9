"""Whom one has blocked or muted, and ending that."""

from flask import Response
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from gateway.actions import silencing
from gateway.actions.model.actor import Actor
from gateway.doors.web.settings import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import say
from gateway.network.follows import mutes
from gateway.network.people import accounts
from gateway.network.people.directory import find_named


@ROUTER.page("/settings/blocked")
def blocked(visit: Visit) -> str:
    return render(visit, "settings/blocked.html", silences=mutes.list_own(visit.session, visit.account.id))


@ROUTER.post("/settings/blocked/<int:account_id>/end")
def end_silence(visit: Visit, account_id: int) -> Response:
    if not visit.do(lift, account_id):
        raise NotFound
    visit.say(say("Ended. What they write can reach you again."), undo=True)
    return visit.back("/settings/blocked")


def lift(session: Session, actor: Actor, account_id: int) -> bool:
    """Also for somebody who is not active now: it would be in force again with them."""
    other = accounts.by_id(session, account_id)
    return other is not None and silencing.lift(session, actor, find_named(other)) is not None
