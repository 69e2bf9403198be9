"""Signing in by a code: a phone or mailbox, then the six digits that came there."""

from dataclasses import dataclass
from math import ceil

from flask import Response, make_response, request

from gateway.channels import SMS
from gateway.doors.client_address import caller
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.sign_in import ROUTER, begin
from gateway.doors.web.visits import cookies, signed_cookies
from gateway.doors.web.visits.visit import LONGEST_PATH, Visit, here, see_other
from gateway.errors import Refused
from gateway.network.people import addresses
from gateway.network.verification import codes, sign_in_codes
from gateway.network.web import passkeys

DIGITS = 6


@dataclass(frozen=True, slots=True)
class AskedCode:
    """What this browser asked for: the code's id, to whom it went as it was typed, and where the visitor wanted to
    go."""

    code_id: int
    who: str
    to: str


@ROUTER.page("/sign-in", "visitor")
def sign_in(visit: Visit) -> str | Response:
    """Who is signed in goes on, unless an app wants that they sign in anew."""
    to = here(visit.arg("to", LONGEST_PATH))
    return see_other(to) if visit.viewer and not visit.arg("again") else sign_in_page(visit, to=to)


def sign_in_page(visit: Visit, who: str = "", wrong: str = "", to: str = "/") -> str:
    """With the ways that there are here: a code, a passkey, the account of the company."""
    named = passkeys.site(visit.settings.public_url, visit.settings.company)
    company = visit.settings.company if visit.settings.oidc_issuer else ""
    return render(
        visit, "sign_in/sign_in.html", who=who, wrong=wrong, to=to, passkeys=named is not None, company_sign_in=company
    )


@ROUTER.post("/sign-in", "visitor")
def send_code(visit: Visit) -> Response:
    """The answer is the same for a phone that is known here and for any other."""
    who, to = visit.form("who", 254), here(visit.form("to", LONGEST_PATH))
    if refused := refuse_many(visit):
        return refused
    try:
        channel, address = _normal(visit, who)
    except Refused as wrong:
        return make_response(sign_in_page(visit, who, wrong.text, to), 422)
    code_id = sign_in_codes.send(visit.session, visit.web.signer, visit.settings.company, channel, address)
    visit.queues.add(channel)
    answer = see_other("/sign-in/code")
    signed_cookies.put(answer, visit.settings, visit.web.signer, cookies.CODE, [code_id, who, to])
    return answer


def _normal(visit: Visit, who: str) -> tuple[str, str]:
    channel = addresses.channel_of(who)
    if channel == SMS:
        return channel, addresses.normal_phone(who, visit.settings.sms_region)
    return channel, addresses.normal_mailbox(who)


@ROUTER.page("/sign-in/code", "visitor")
def ask_code(visit: Visit) -> str | Response:
    asked = _ask(visit)
    if asked is None:
        return see_other("/sign-in")
    return render(visit, "sign_in/code.html", asked=asked, wrong=None)


@ROUTER.post("/sign-in/code", "visitor")
def take_code(visit: Visit) -> Response:
    asked = _ask(visit)
    if asked is None:
        return see_other("/sign-in")
    if refused := refuse_many(visit):
        return refused
    code = "".join(each for each in visit.form("code", 20) if each.isdecimal())
    person = codes.complete_sign_in(visit.session, visit.web.signer, asked.code_id, code)
    if person is None:
        page = render(visit, "sign_in/code.html", asked=asked, wrong="digits" if len(code) != DIGITS else "code")
        return make_response(page, 422)
    return begin(visit, person, "code", asked.to)


def refuse_many(visit: Visit) -> Response | None:
    """Counts one try of this origin; the page that asks to wait when there were too many."""
    wait = visit.web.tries.take(str(caller(visit.settings, request) or ""))
    return too_many(visit, wait) if wait else None


def too_many(visit: Visit, wait: float) -> Response:
    answer = make_response(render(visit, "sign_in/too_many.html", minutes=ceil(wait / 60)), 429)
    answer.headers["Retry-After"] = str(ceil(wait))
    return answer


def _ask(visit: Visit) -> AskedCode | None:
    """None when this browser asked for no code, or not lately."""
    kept = signed_cookies.read(request, visit.settings, visit.web.signer, cookies.CODE)
    return AskedCode(*kept) if kept else None
