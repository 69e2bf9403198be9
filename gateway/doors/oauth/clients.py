"""An app as Authlib asks about it: where people may be led back to, what it may ask for, and its secret."""

from collections.abc import Mapping
from typing import Final

from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from gateway.network.apps import apps, scopes
from gateway.store.tables import App

OUT_OF_BAND: Final = "urn:ietf:wg:oauth:2.0:oob"  # the code is shown on a page, to be copied into the app
WAYS_TO_PROVE: Final = ["client_secret_basic", "client_secret_post"]


class OAuthRequest(OAuth2Request):  # type: ignore[misc]
    """A request whose fields were read already, out of JSON or a form."""

    def __init__(self, method: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> None:
        # Whether the way to us is safe is a matter of CRITTER_PUBLIC_URL; Authlib would refuse simulations by http.
        super().__init__(method, "https://localhost/", headers=headers)
        self.payload = BasicOAuth2Payload(dict(fields))

    @property
    def args(self) -> Mapping[str, str]:
        return self.form

    @property
    def form(self) -> Mapping[str, str]:
        fields: Mapping[str, str] = self.payload.data
        return fields


class OAuthClient(ClientMixin):  # type: ignore[misc]
    """`grants`: the kinds of grants that this installation knows."""

    def __init__(self, app: App, grants: frozenset[str]) -> None:
        self.app, self._grants = app, grants

    def get_client_id(self) -> str:
        return self.app.client_id

    def get_default_redirect_uri(self) -> str | None:
        """Only an app with one address may leave it out."""
        return self.app.redirect_uris[0] if len(self.app.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What is asked for, when the app may; None when it may not."""
        asked = scopes.split(scope or "") or scopes.DEFAULT
        return " ".join(asked) if scopes.covers_all(self.app.scopes, asked) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.app.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return apps.has_secret(self.app, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in WAYS_TO_PROVE

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self._grants
