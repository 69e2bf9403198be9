"""Where the OAuth 2 server is and what it can (RFC 8414)."""

from gateway.doors.api.clients import ROUTER
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Entity
from gateway.doors.oauth.clients import WAYS_TO_PROVE
from gateway.doors.oauth.server import GRANTS
from gateway.network.apps import scopes


class ServerMetadata(Entity):
    issuer: str
    service_documentation: str
    authorization_endpoint: str
    token_endpoint: str
    app_registration_endpoint: str
    revocation_endpoint: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    code_challenge_methods_supported: list[str]


@ROUTER.get("/.well-known/oauth-authorization-server", who="anyone")
def metadata(call: ApiCall) -> ServerMetadata:
    """Where the OAuth 2 server is and what it can."""
    return ServerMetadata(
        issuer=f"{call.settings.public_url}/",
        service_documentation=call.url("/help"),
        authorization_endpoint=call.url("/oauth/authorize"),
        token_endpoint=call.url("/oauth/token"),
        app_registration_endpoint=call.url("/api/v1/apps"),
        revocation_endpoint=call.url("/oauth/revoke"),
        scopes_supported=list(scopes.KNOWN),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=sorted(GRANTS | ({"password"} if call.api.passwords else frozenset())),
        token_endpoint_auth_methods_supported=WAYS_TO_PROVE,
        code_challenge_methods_supported=["S256"],
    )
