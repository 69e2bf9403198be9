"""Phones and mailboxes: adding one by a code that is sent there, or from the new one itself by a link code; removing
one; the main one of each kind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Response, make_response, request

from gateway.actions.preferences import own_addresses
from gateway.channels import EMAIL
from gateway.doors.web.settings import ROUTER, passkeys
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import Phrase, say
from gateway.i18n.refusals import refusal
from gateway.mail.bounces import failure_reasons
from gateway.network.people import addresses
from gateway.network.verification import codes
from gateway.store.tables import Address, Bouncing

SHOWN: Final = ("verified", "stopped", "invited")
DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """`why`: why mails to it come back."""

    row: Address
    why: Phrase | None


@dataclass(frozen=True, slots=True)
class WaitingCode:
    """A code that was sent to `address`, and till when it can be typed."""

    channel: str
    address: str
    sent_at: datetime
    until: datetime


@ROUTER.page("/settings/phones")
def phones(visit: Visit) -> str:
    return page(visit)


def page(visit: Visit, wrong: str = "", link_code: str = "", pin_wrong: str = "") -> str:
    mine = [each for each in addresses.of_account(visit.session, visit.account.id) if each.state in SHOWN]
    return render(
        visit,
        "settings/phones.html",
        mine=[_own(visit, each) for each in mine],
        waiting=_waiting(visit),
        wrong=wrong,
        link_code=link_code,
        pin_wrong=pin_wrong,
        keys=passkeys.listed(visit),
    )


def _own(visit: Visit, row: Address) -> OwnAddress:
    bounced = visit.session.get(Bouncing, row.id) if row.bouncing_since else None
    return OwnAddress(row, failure_reasons.describe_failure("failed", bounced.status, EMAIL) if bounced else None)


def _waiting(visit: Visit) -> WaitingCode | None:
    """Not for one of theirs: such a code is for the PIN."""
    code = codes.waiting_for(visit.session, visit.account.id)
    row = visit.session.get(Address, code.address_id) if code and code.address_id else None
    if code is None or row is None or (row.account_id == visit.account.id and row.state == "verified"):
        return None
    return WaitingCode(row.channel, row.address, code.created_at, code.expires_at)


@ROUTER.post("/settings/phones/add")
def add(visit: Visit) -> Response:
    if "agreed" not in request.form:
        raise refusal("consent_missing")
    visit.do(own_addresses.send_code, visit.form("new", 254))
    visit.say(say("If it is free, six digits are on their way there."))
    return visit.back("/settings/phones")


@ROUTER.post("/settings/phones/code")
def take_code(visit: Visit) -> Response:
    """A wrong code is counted, so what it changed commits."""
    actor, code = visit.actor, "".join(each for each in visit.form("code", 20) if each.isdecimal())
    if len(code) != DIGITS:
        return make_response(page(visit, wrong=say("It has six digits.")), 422)
    done = own_addresses.take_code(visit.session, actor, code)
    visit.queues |= actor.queues
    if done.address_id is None:
        return make_response(page(visit, wrong=own_addresses.why_wrong(visit.session, actor).text), 422)
    visit.say(say("It is yours now."))
    return visit.back("/settings/phones")


@ROUTER.post("/settings/phones/link-code")
def link_code(visit: Visit) -> Response:
    """The code that the new phone sends itself. It is shown once, on this page."""
    return make_response(page(visit, link_code=codes.link(visit.session, visit.web.signer, visit.account.id)))


@ROUTER.post("/settings/phones/<int:address_id>/remove")
def remove(visit: Visit, address_id: int) -> Response:
    visit.do(own_addresses.remove_address, address_id)
    visit.say(say("It is nobody's now. Nothing goes there any more."))
    return visit.back("/settings/phones")


@ROUTER.post("/settings/phones/<int:address_id>/main")
def make_main(visit: Visit, address_id: int) -> Response:
    done = visit.do(own_addresses.make_main, address_id)
    visit.say(say("Mails go there from now on.") if done.channel == EMAIL else say("Texts go there from now on."))
    return visit.back("/settings/phones")


@ROUTER.post("/settings/phones/<int:address_id>/try")
def try_again(visit: Visit, address_id: int) -> Response:
    visit.do(own_addresses.try_mailbox, address_id)
    visit.say(say("Mails go there again."))
    return visit.back("/settings/phones")
