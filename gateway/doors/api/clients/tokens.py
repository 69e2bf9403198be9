"""Tokens: an app gets one for a code or for itself, and gives it back. Errors are those of RFC 6749 5.2."""

from typing import Any, Final

from flask import Response

from gateway.doors.api.clients import ROUTER
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Empty, Parameters
from gateway.doors.api.frame.parameters import Nested
from gateway.doors.oauth.clients import OAuthRequest
from gateway.doors.oauth.server import OAuthServer
from gateway.network.apps import app_tokens

CALLS: Final = 60  # of one origin in five minutes
LONGEST: Final = 4_000


class TokenRequest(Parameters):
    """As RFC 6749 names its parts; the app proves itself here or by HTTP Basic."""

    grant_type: str = ""
    client_id: str = ""
    client_secret: str = ""
    code: str = ""
    redirect_uri: str = ""
    code_verifier: str = ""
    scope: str = ""


class Revocation(Parameters):
    token: str = ""
    client_id: str = ""
    client_secret: str = ""


def _server(call: ApiCall) -> OAuthServer:
    return OAuthServer(call.session, call.api.passwords.check if call.api.passwords else None)


def _request(call: ApiCall) -> OAuthRequest:
    return OAuthRequest("POST", _plain(call.given), call.headers)


def _plain(given: Nested) -> dict[str, str]:
    """The plain words of it; an empty one is as if it were not given (RFC 6749 3.2)."""
    words: dict[str, Any] = {name: value for name, value in given.items() if isinstance(value, str) and value}
    return {name: value[:LONGEST] for name, value in words.items()}


@ROUTER.post("/oauth/token", who="anyone", calls=CALLS)
def give(call: ApiCall, given: TokenRequest) -> Response:
    """Gives a token for a code that somebody let the app in with, or to the app for itself."""
    answer: Response = _server(call).create_token_response(_request(call))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@ROUTER.post("/oauth/revoke", who="anyone", calls=CALLS)
def revoke(call: ApiCall, given: Revocation) -> Empty:
    """Ends a token of this app. The answer says nothing about whether there was one (RFC 7009 2.2)."""
    app = _server(call).authenticated_app(_request(call))
    if app and given.token:
        app_tokens.revoke(call.session, app, given.token)
    return Empty()
