"""The ways to a token: a code that somebody gave, an app for itself, and a password in conformance runs alone."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError, OAuth2Request, grants

from gateway.doors.oauth.clients import WAYS_TO_PROVE
from gateway.network.apps import app_codes, scopes
from gateway.network.apps.app_codes import Consent
from gateway.store.tables import Account, AppCode


class GivenCode:
    """A code that was given, as Authlib asks about it."""

    code_challenge_method = "S256"

    def __init__(self, row: AppCode) -> None:
        self.row, self.code_challenge = row, row.challenge

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri

    def get_scope(self) -> str:
        return " ".join(self.row.scopes)


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = WAYS_TO_PROVE

    def create_authorization_response(self, redirect_uri: str, grant_user: Account | None) -> Any:
        """Notes where the code goes to, for a request may leave its address out."""
        self.redirect_uri = redirect_uri
        return super().create_authorization_response(redirect_uri, grant_user)

    def generate_authorization_code(self) -> str:
        request = self.request
        challenge = request.payload.data.get("code_challenge") or None
        consent = Consent(self.redirect_uri, scopes.split(request.scope), challenge)
        return app_codes.make(self.server.session, request.client.app, request.user, consent)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        """It was kept as it was made."""

    def query_authorization_code(self, code: str, client: Any) -> GivenCode | None:
        row = app_codes.use(self.server.session, client.app, code)
        return GivenCode(row) if row else None

    def delete_authorization_code(self, authorization_code: GivenCode) -> None:
        """It was used up as it was asked for."""

    def authenticate_user(self, authorization_code: GivenCode) -> Account | None:
        account = self.server.session.get_one(Account, authorization_code.row.account_id)
        return account if account.state == "active" else None


class OwnScopes:
    """Mixed into grants that are asked for a scope at the token's address: no more than the app registered for."""

    def validate_token_request(self) -> None:
        super().validate_token_request()  # type: ignore[misc]
        request: OAuth2Request = self.request  # type: ignore[attr-defined]
        allowed = request.client.get_allowed_scope(request.payload.scope)
        if allowed is None:
            raise InvalidScopeError
        request.payload.data["scope"] = allowed


class AppGrant(OwnScopes, grants.ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = WAYS_TO_PROVE


class PasswordGrant(OwnScopes, grants.ResourceOwnerPasswordCredentialsGrant):  # type: ignore[misc]
    """Only where conformance runs are allowed: nobody has a password otherwise."""

    TOKEN_ENDPOINT_AUTH_METHODS = WAYS_TO_PROVE

    def authenticate_user(self, username: str, password: str) -> Account | None:
        account: Account | None = self.server.check_password(username, password)
        return account
