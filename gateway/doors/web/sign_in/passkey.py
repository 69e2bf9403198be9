"""Signing in with a passkey: the browser lets somebody choose one of theirs, and signs what we ask it to."""

from flask import Response, make_response
from werkzeug.exceptions import NotFound

from gateway.doors.web.sign_in import ROUTER, begin
from gateway.doors.web.sign_in.code import refuse_many, sign_in_page
from gateway.doors.web.visits import challenges, cookies
from gateway.doors.web.visits.visit import LONGEST_PATH, Visit, here
from gateway.i18n.refusals import refusal
from gateway.network.web import passkeys
from gateway.network.web.passkeys import Site

LONGEST = 20_000  # characters of what a browser answers


@ROUTER.post("/sign-in/passkey/options", "visitor")
def ask_passkey(visit: Visit) -> Response:
    challenge = challenges.make()
    return challenges.give(visit, passkeys.ask(_site(visit), challenge), challenge)


@ROUTER.post("/sign-in/passkey", "visitor")
def enter_by_passkey(visit: Visit) -> Response:
    """A wrong one is recorded, so it is told and not refused."""
    if refused := refuse_many(visit):
        return refused
    written, to = visit.form("credential", LONGEST), here(visit.form("to", LONGEST_PATH))
    person = passkeys.complete_sign_in(visit.session, _site(visit), challenges.take(visit), written)
    if person is None:
        return make_response(sign_in_page(visit, wrong=refusal("bad_passkey").text, to=to), 422)
    answer = begin(visit, person, "passkey", to)
    cookies.remove(answer, visit.settings, cookies.PASSKEY)
    return answer


def _site(visit: Visit) -> Site:
    site = challenges.site_of(visit)
    if site is None:
        raise NotFound
    return site
