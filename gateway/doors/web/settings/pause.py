"""Pausing all that comes, for an hour, till tomorrow or till Monday, and having it come again."""

from datetime import datetime
from typing import Final

from flask import Response
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from gateway.actions import pausing
from gateway.actions.model.actor import Actor
from gateway.attention import zones
from gateway.doors.web.settings import ROUTER
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import count, say
from gateway.language.words import durations
from gateway.network.people import addresses
from gateway.network.web import reach_state

SPANS: Final = ("1h", "till tomorrow", "till monday")


@ROUTER.post("/settings/pause")
def pause(visit: Visit) -> Response:
    span = visit.form("span")
    if span not in SPANS:
        raise BadRequest
    visit.say(say("Paused.") if visit.do(pause_all, span) else say("Nothing comes anyway."))
    return visit.back("/settings")


@ROUTER.post("/settings/resume")
def resume(visit: Visit) -> Response:
    waited = visit.do(resume_all)
    comes = count("{count} update waited and comes now.", "{count} updates waited and come now.", waited)
    visit.say(comes if waited else say("It is on again."))
    return visit.back("/settings")


def pause_all(session: Session, actor: Actor, span: str) -> int:
    """Turns off the phone, the mailbox and the devices that get anything; returns how many."""
    until = durations.ends(span, datetime.now(zones.zone(actor.account.zone_now)))
    on = [each for each in reach_state.find(session, actor.account.id).resting if each.flow == "on"]
    for place in on:
        pausing.turn_off(session, actor, addresses.own(session, actor.account.id, place.id), until)
    return len(on)


def resume_all(session: Session, actor: Actor) -> int:
    """Turns them on again; returns how much waited for that."""
    off = [each for each in reach_state.find(session, actor.account.id).resting if each.flow == "off"]
    return sum(pausing.turn_on(session, actor, addresses.own(session, actor.account.id, each.id)) for each in off)
