"""The consent page: an app leads somebody here, they say yes or no, and are led back with a code (RFC 6749 4.1)."""

from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Response, make_response, request

from gateway.doors.oauth.clients import OUT_OF_BAND, OAuthRequest
from gateway.doors.oauth.grants import CodeGrant
from gateway.doors.oauth.server import OAuthServer
from gateway.doors.web.apps import ROUTER
from gateway.doors.web.shell.content_policy import policy_of
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.shell.scope_words import describe
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import Phrase, say
from gateway.network.apps import scopes

FIELDS: Final = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
)  # fmt: skip
TRUE: Final = ("true", "1", "on", "t")
LONGEST: Final = 2_000


@ROUTER.page("/oauth/authorize")
def ask(visit: Visit) -> str | Response:
    """Asks whoever is signed in. An app may want that they sign in anew (`force_login`)."""
    if visit.arg("force_login") in TRUE:
        return see_other(f"/sign-in?again=1&to={quote(_without_force())}")
    grant = _read(visit)
    return grant if isinstance(grant, Response) else _page(visit, grant)


@ROUTER.page("/oauth/authorize/")
def ask_with_slash(visit: Visit) -> str | Response:
    """The same: some clients write a slash at the end of the address."""
    return ask(visit)


def _without_force() -> str:
    kept = [(name, value) for name, value in parse_qsl(request.query_string.decode()) if name != "force_login"]
    return f"{request.path}?{urlencode(kept)}"


@ROUTER.post("/oauth/authorize")
def decide(visit: Visit) -> Response:
    """What they said: a code for the app, or its refusal."""
    grant = _read(visit)
    if isinstance(grant, Response):
        return grant
    granted = visit.account if visit.form("decision") == "yes" else None
    answer: Response = grant.server.create_authorization_response(grant.request, granted, grant)
    if grant.redirect_uri != OUT_OF_BAND:
        answer.status_code = 303  # what follows is a GET
        return answer
    code = dict(parse_qsl(urlsplit(answer.headers["Location"]).query)).get("code", "")
    return make_response(render(visit, "apps/code.html", code=code, app=grant.client.app))


def _read(visit: Visit) -> CodeGrant | Response:
    """What is asked for; the answer when it is not in order. Only an address that the app has registered is ever led
    to."""
    asked = {name: visit.form(name, LONGEST) or visit.arg(name, LONGEST) for name in FIELDS}
    given = OAuthRequest(request.method, {name: value for name, value in asked.items() if value}, {})
    server = OAuthServer(visit.session)
    try:
        grant: CodeGrant = server.get_consent_grant(given, visit.account)
    except OAuth2Error as error:
        leads_back = error.redirect_uri and error.redirect_uri != OUT_OF_BAND
        return server.handle_error_response(given, error) if leads_back else _refused(visit, error)
    return grant


def _refused(visit: Visit, error: OAuth2Error) -> Response:
    return make_response(render(visit, "apps/refused.html", why=WRONG.get(error.error, OTHERWISE)), 400)


def _page(visit: Visit, grant: CodeGrant) -> Response:
    app, wanted = grant.client.app, scopes.split(grant.request.scope)
    fields = {name: visit.arg(name, LONGEST) for name in FIELDS if visit.arg(name, LONGEST)}
    page = render(
        visit, "apps/authorize.html", app=app, may=describe(wanted), fields=fields, place=_place(grant.redirect_uri)
    )  # fmt: skip
    answer = make_response(page)
    answer.headers["Content-Security-Policy"] = _policy(visit, grant.redirect_uri)
    return answer


def _place(redirect_uri: str) -> str:
    """Where they are led to, as they can judge it: a host, or the kind of address of an app on their device."""
    parts = urlsplit(redirect_uri)
    return "" if redirect_uri == OUT_OF_BAND else (parts.netloc or parts.scheme)


def _policy(visit: Visit, redirect_uri: str) -> str:
    """Browsers also hold the form's answer, which leads to the app, against the policy of its page."""
    parts = urlsplit(redirect_uri)
    leads_to = f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
    return policy_of(visit.settings, f"'self' {leads_to}")


WRONG: Final[dict[str, Phrase]] = {
    "invalid_client": say("The app is not known here. It may have registered long ago: let it register anew."),
    "invalid_scope": say("The app asks for more than it registered for, or for something that there is not."),
    "unsupported_response_type": say("The app asks in a way that is not known here."),
}
OTHERWISE: Final = say("The app did not ask as it must. Its makers can help; nothing was let in.")
