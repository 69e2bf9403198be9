"""The authorization server for one request: Authlib checks, our tables keep. The consent page and /oauth/token ask."""

import time
from collections.abc import Callable
from typing import Any, Final

from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, OAuth2Error
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Response, json
from sqlalchemy.orm import Session

from gateway.doors.oauth.clients import WAYS_TO_PROVE, OAuthClient, OAuthRequest
from gateway.doors.oauth.grants import AppGrant, CodeGrant, PasswordGrant
from gateway.network.apps import app_tokens, apps, scopes
from gateway.store.tables import Account, App

CheckPassword = Callable[[Session, str, str], Account | None]
GRANTS: Final = frozenset({"authorization_code", "client_credentials"})


class S256(CodeChallenge):  # type: ignore[misc]
    """Only the hash: a plain challenge, which is meant where no method is named, protects from nobody who reads along
    (RFC 9700 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        super().validate_code_challenge(grant, redirect_uri)
        asked = grant.request.payload.data
        if asked.get("code_challenge") and not asked.get("code_challenge_method"):
            raise InvalidRequestError("Unsupported 'code_challenge_method'")


class OAuthServer(AuthorizationServer):  # type: ignore[misc]
    """`passwords`: how a password is checked, where that way is open."""

    def __init__(self, session: Session, passwords: CheckPassword | None = None) -> None:
        super().__init__()
        self.session, self._passwords = session, passwords
        self.register_grant(CodeGrant, [S256(required=False)])
        self.register_grant(AppGrant)
        if passwords:
            self.register_grant(PasswordGrant)
        self.register_token_generator("default", self._make)

    def query_client(self, client_id: str) -> OAuthClient | None:
        app = apps.find(self.session, client_id)
        return OAuthClient(app, GRANTS | ({"password"} if self._passwords else frozenset())) if app else None

    def authenticated_app(self, request: OAuthRequest) -> App | None:
        """The app that proves itself with its secret."""
        try:
            client: OAuthClient = self.authenticate_client(request, WAYS_TO_PROVE)
        except OAuth2Error:
            return None
        return client.app

    def check_password(self, username: str, password: str) -> Account | None:
        return self._passwords(self.session, username, password) if self._passwords else None

    def validate_requested_scope(self, scope: str | None) -> None:
        if scopes.unknown(scopes.split(scope or "")):
            raise InvalidScopeError

    def _make(self, grant_type: str, client: OAuthClient, scope: str, **_: Any) -> dict[str, Any]:
        return {"token_type": "Bearer", "scope": scope, "created_at": int(time.time())}

    def save_token(self, token: dict[str, Any], request: OAuthRequest) -> None:
        """The token is made where it is kept."""
        code = request.authorization_code
        token["access_token"] = app_tokens.begin(
            self.session,
            request.client.app,
            scopes.split(token["scope"]),
            request.user.id if request.user else None,
            code.row.id if code else None,
        )

    def create_oauth2_request(self, request: OAuthRequest) -> OAuthRequest:
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        body = json.dumps(dict(body)) if isinstance(body, (dict, list)) else body
        return Response(body, status=status, headers=list(headers))
