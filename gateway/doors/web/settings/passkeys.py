"""Passkeys of whoever is signed in: adding and removing them. Adding one needs a script, for only that can ask the
browser."""

from dataclasses import dataclass

from flask import Response, request
from werkzeug.exceptions import NotFound

from gateway.doors.web.settings import ROUTER
from gateway.doors.web.visits import challenges, cookies
from gateway.doors.web.visits.devices import describe
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import say
from gateway.network.web import passkeys
from gateway.network.web.passkeys import Site
from gateway.store.tables import Passkey

LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class PasskeyList:
    """`possible`: whether browsers take passkeys for the address of our pages; `device`: what a new one is called."""

    own: tuple[Passkey, ...]
    possible: bool
    device: str


def listed(visit: Visit) -> PasskeyList:
    own = tuple(passkeys.list_own(visit.session, visit.account.id))
    return PasskeyList(own, challenges.site_of(visit) is not None, describe(request.headers.get("User-Agent", "")))


@ROUTER.post("/settings/passkeys/options")
def offer_passkey(visit: Visit) -> Response:
    challenge = challenges.make()
    content = passkeys.offer(visit.session, visit.web.signer, _site(visit), visit.account, challenge)
    return challenges.give(visit, content, challenge)


def _site(visit: Visit) -> Site:
    here = challenges.site_of(visit)
    if here is None:
        raise NotFound
    return here


@ROUTER.post("/settings/passkeys")
def add_passkey(visit: Visit) -> Response:
    written, name = visit.form("credential", LONGEST), visit.form("name", 60)
    passkeys.add(visit.session, _site(visit), visit.account, challenges.take(visit), written, name)
    visit.say(say("Added. You can sign in with it from now on."))
    answer = visit.back("/settings/phones")
    cookies.remove(answer, visit.settings, cookies.PASSKEY)
    return answer


@ROUTER.post("/settings/passkeys/<int:passkey_id>/remove")
def remove_passkey(visit: Visit, passkey_id: int) -> Response:
    if not passkeys.remove(visit.session, visit.account, passkey_id):
        raise NotFound
    visit.say(say("Removed. Nobody signs in with it any more."))
    return visit.back("/settings/phones")
