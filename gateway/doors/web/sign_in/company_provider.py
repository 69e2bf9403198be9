"""The company's own sign-in, spoken to by OpenID Connect: the code flow with PKCE, `state` and `nonce`.

Its addresses come from its discovery document, which is asked for anew every hour. What it says is believed only when
its signature, issuer, audience, time and nonce are right."""

import time
from dataclasses import dataclass
from typing import Any, Final, cast

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from gateway.network.web.company_accounts import CompanyPerson
from gateway.settings import Settings

DISCOVERY: Final = "/.well-known/openid-configuration"
SCOPE: Final = "openid email"
BACK: Final = "/sign-in/company/back"
PATIENCE: Final = 5  # seconds for each question
KEPT: Final = 3600.0  # seconds
ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY: Final = 60  # seconds that its clock may be off

_known: dict[str, tuple[float, dict[str, Any]]] = {}


class ProviderFailed(Exception):
    """The company's sign-in did not answer, or not in a way that can be believed. The text is for the log alone."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it must bring back with it."""

    url: str
    state: str
    nonce: str
    verifier: str


def begin(settings: Settings) -> Begun:
    nonce, verifier = generate_token(32), generate_token(64)
    with _session(settings) as oauth:
        url, state = oauth.create_authorization_url(
            _discover(settings)["authorization_endpoint"], nonce=nonce, code_verifier=verifier
        )
    return Begun(url, state, nonce, verifier)


def complete(settings: Settings, code: str, nonce: str, verifier: str) -> CompanyPerson:
    """Exchanges the code that the browser brought for who they are. Raises ProviderFailed."""
    found = _discover(settings)
    try:
        with _session(settings) as oauth:
            token = oauth.fetch_token(found["token_endpoint"], code=code, code_verifier=verifier, timeout=PATIENCE)
        keys = KeySet.import_key_set(cast("KeySetSerialization", _get(found["jwks_uri"])))
        claims = jwt.decode(str(token["id_token"]), keys, algorithms=ALGORITHMS).claims
        _rules(settings, found, nonce).validate(claims)
    except (OAuthError, JoseError, requests.RequestException, KeyError, ValueError) as wrong:
        raise ProviderFailed(type(wrong).__name__) from wrong
    mailbox = claims.get("email") if claims.get("email_verified") is True else None
    return CompanyPerson(str(claims["iss"]), str(claims["sub"]), str(mailbox) if mailbox else None)


def _rules(settings: Settings, found: dict[str, Any], nonce: str) -> jwt.JWTClaimsRegistry:
    need: dict[str, Any] = {
        "iss": {"essential": True, "value": found["issuer"]},
        "aud": {"essential": True, "value": settings.oidc_client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "iat": {"essential": True},
        "nonce": {"essential": True, "value": nonce},
    }
    return jwt.JWTClaimsRegistry(leeway=LEEWAY, **need)


def _session(settings: Settings) -> OAuth2Session:
    session = OAuth2Session(
        settings.oidc_client_id, settings.oidc_client_secret, scope=SCOPE, code_challenge_method="S256",
        redirect_uri=f"{settings.public_url}{BACK}",
    )  # fmt: skip
    session.trust_env = False  # no proxy that the environment names
    return session


def _discover(settings: Settings) -> dict[str, Any]:
    """Its document must name the issuer that was asked (OpenID Connect Discovery 1.0, 4.3)."""
    issuer = str(settings.oidc_issuer)
    since, found = _known.get(issuer, (0.0, {}))
    if not found or time.monotonic() - since > KEPT:
        found = _get(f"{issuer}{DISCOVERY}")
        if str(found.get("issuer", "")).rstrip("/") != issuer:
            raise ProviderFailed("its document names another issuer")
        _known[issuer] = time.monotonic(), found
    return found


def _get(url: str) -> dict[str, Any]:
    try:
        with requests.Session() as asks:
            asks.trust_env = False
            answer = asks.get(url, timeout=PATIENCE, allow_redirects=False)
            answer.raise_for_status()
            content = answer.json()
    except (requests.RequestException, ValueError) as wrong:
        raise ProviderFailed(type(wrong).__name__) from wrong
    if not isinstance(content, dict):
        raise ProviderFailed("no JSON object")
    return content
