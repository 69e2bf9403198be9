"""The PIN: set, changed or removed, each proved by the one that stands or by a code."""

from flask import Response, make_response, request

from gateway.actions.preferences import own_addresses, own_pin
from gateway.actions.preferences.own_pin import PinProof
from gateway.channels import EMAIL
from gateway.doors.web.settings import ROUTER, phones
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import say
from gateway.i18n.refusals import refusal
from gateway.network.verification import lockouts

LONGEST = 12


@ROUTER.post("/settings/pin/code")
def send_code(visit: Visit) -> Response:
    done = visit.do(own_pin.send_pin_code)
    mail = done.channel == EMAIL
    visit.say(say("Six digits are on their way by mail.") if mail else say("Six digits are on their way by text."))
    return visit.back("/settings/phones#pin")


@ROUTER.post("/settings/pin")
def set_pin(visit: Visit) -> Response:
    """A wrong proof is counted, so what it changed commits."""
    actor = visit.actor
    proof = PinProof(visit.form("old", LONGEST), visit.form("code", LONGEST))
    if "remove" in request.form:
        done, says = own_pin.remove_pin(visit.session, actor, proof), say("You have no PIN any more.")
    else:
        new = visit.form("new", LONGEST)
        if new != visit.form("again", LONGEST):
            raise refusal("pins_differ")
        done = own_pin.change_pin(visit.session, actor, proof, new, "always" in request.form)
        says = say("Your PIN is set.")
    visit.queues |= actor.queues
    if not done:
        return make_response(phones.page(visit, pin_wrong=_why(visit)), 422)
    visit.say(says)
    return visit.back("/settings/phones")


def _why(visit: Visit) -> str:
    locked = lockouts.locked_until(visit.session, visit.account.id, lockouts.WEB)
    actor = visit.actor
    return own_addresses.why_wrong(visit.session, actor).text if locked else refusal("wrong_pin").text
