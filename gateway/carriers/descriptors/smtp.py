"""The relay: mails, by SMTP to your own mail server or to a provider's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from gateway.carriers.descriptors.descriptor import CarrierDescriptor, CarrierSettings
from gateway.channels import EMAIL
from gateway.errors import SettingsError
from gateway.setting_types import values as value
from gateway.setting_types.fields import BaseUrl, Visible, env

# Profiles whose relay has a fixed address; an endpoint of Exchange Online is named after its customer.
RELAYS: Final = {
    "google-ip": "smtp+starttls://smtp-relay.gmail.com:587",
    "m365-oauth": "smtp+starttls://smtp.office365.com:587",
}
MICROSOFT: Final = "https://login.microsoftonline.com"


class RelaySettings(CarrierSettings):
    """Where the relay is, whose it is, and what it allows."""

    smtp_relay: Annotated[str, BeforeValidator(value.relay_url)] = env("CRITTER_SMTP_RELAY", default="", repr=False)
    smtp_profile: Literal["plain", "google-ip", "m365-connector", "m365-oauth"] = env(
        "CRITTER_SMTP_PROFILE", default="plain"
    )
    smtp_from: Annotated[str, BeforeValidator(value.sender)] = env("CRITTER_SMTP_FROM", default="")
    smtp_connections: Annotated[int | None, Field(ge=1, le=100)] = env("CRITTER_SMTP_CONNECTIONS", default=None)
    smtp_rate: Annotated[float | None, Field(ge=0, le=10_000)] = env("CRITTER_SMTP_RATE", default=None)
    smtp_daily: Annotated[int | None, Field(ge=0, le=1_000_000_000)] = env("CRITTER_SMTP_DAILY", default=None)
    smtp_certificate: Path | None = env("CRITTER_SMTP_CERTIFICATE", default=None)
    m365_tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]*$")] = env("CRITTER_M365_TENANT", default="")
    m365_client_id: Visible = env("CRITTER_M365_CLIENT_ID", default="")
    m365_client_secret: Visible = env("CRITTER_M365_CLIENT_SECRET", default="", repr=False)
    m365_token_url: BaseUrl | None = env("CRITTER_M365_TOKEN_URL", default=None)


def _hosts(settings: RelaySettings) -> Mapping[str, str]:
    return {
        "CRITTER_SMTP_RELAY": value.host_of(settings.smtp_relay),
        "CRITTER_M365_TOKEN_URL": value.host_of(settings.m365_token_url or MICROSOFT) if _by_token(settings) else "",
    }


def _by_token(settings: RelaySettings) -> bool:
    return settings.mail and settings.smtp_profile == "m365-oauth"


def _defaults(given: Mapping[str, str]) -> Mapping[str, str]:
    """The simulator's mailboxes, which simulated mode uses, are named in gateway/settings/defaults."""
    url = RELAYS.get(given.get("CRITTER_SMTP_PROFILE", "")) if given["CRITTER_MODE"] == "live" else None
    return {"CRITTER_SMTP_RELAY": url} if url else {}


def _refuse(settings: RelaySettings) -> None:
    if settings.mail:
        _refuse_unfit(settings)
    url = settings.m365_token_url
    if settings.mode == "live" and url and not url.startswith("https:"):
        raise SettingsError("CRITTER_M365_TOKEN_URL: must begin with https: our client secret would travel open")


def _refuse_unfit(settings: RelaySettings) -> None:
    """Refuses a relay that lacks what its profile needs."""
    profile, relay = settings.smtp_profile, settings.smtp_relay
    if profile == "m365-oauth":
        needed = {
            "CRITTER_SMTP_FROM": settings.smtp_from.removeprefix("verp"),
            "CRITTER_M365_TENANT": settings.m365_tenant or settings.m365_token_url,
            "CRITTER_M365_CLIENT_ID": settings.m365_client_id,
            "CRITTER_M365_CLIENT_SECRET": settings.m365_client_secret,
        }
        if missing := [name for name, given in needed.items() if not given]:
            raise SettingsError(f"{', '.join(missing)}: must be set with CRITTER_SMTP_PROFILE=m365-oauth")
    if profile != "plain" and relay.startswith("smtp:") and not value.stays_here(value.host_of(relay)):
        raise SettingsError(
            f"CRITTER_SMTP_RELAY: must be smtp+starttls:// or smtps:// with CRITTER_SMTP_PROFILE={profile}"
        )


# What the relays of all profiles answer.
ADVICE: Final = {
    "530": "the relay wants a login or TLS first: give CRITTER_SMTP_RELAY as smtp+starttls://USER:PASSWORD@HOST:587",
    "534": "the relay takes no such login: make an application password there and set it in CRITTER_SMTP_RELAY",
    "535": "the relay refuses our user or password: look at CRITTER_SMTP_RELAY (odd characters as %40)",
    "535 oauth": "Exchange Online refuses our token: give the application's service principal FullAccess on the "
    "mailbox of CRITTER_SMTP_FROM, and let that mailbox use SMTP AUTH",
    "538": "the relay wants TLS before a login: give CRITTER_SMTP_RELAY as smtp+starttls://…",
    "auth": "the relay offers no login that we know (PLAIN, LOGIN; m365-oauth: XOAUTH2): look at scheme and port of "
    "CRITTER_SMTP_RELAY",
    "421 4.7.28": "Google finds our rate unusual and waits: set CRITTER_SMTP_RATE lower; it goes on by itself",
    "450 4.2.1": "Google's relay had too much from your organisation within minutes: it goes on by itself",
    "550 5.4.5": "Google's limit for a day is used up: it goes on by itself; set CRITTER_SMTP_DAILY to what the admin "
    "console allows",
    "550 5.7.1": "Google's relay does not know our address: enter it in the admin console, Gmail, Routing, SMTP relay "
    "service",
    "432 4.3.2": "more connections than Exchange Online takes: run one worker-email, or set CRITTER_SMTP_CONNECTIONS "
    "lower",
    "554 5.2.0": "Exchange Online's limit for a day is used up: it goes on by itself; set CRITTER_SMTP_DAILY lower",
    "554 5.2.2": "the mailbox of CRITTER_SMTP_FROM is full: empty its Sent Items, or give it a retention policy",
    "550 5.7.60": "Exchange Online does not let us send as CRITTER_SMTP_FROM: give the application's service principal "
    "SendAs on that mailbox",
    "550 5.7.64": "Exchange Online knows no connector for us: look at our address or CRITTER_SMTP_CERTIFICATE in the "
    "Exchange admin center, Mail flow, Connectors, and that the sender's domain is an accepted one",
    "451 4.7.500": "Exchange Online slows us down: set CRITTER_SMTP_RATE lower; it goes on by itself",
    "550 5.7.705": "Microsoft has stopped your tenant's mail out: look at restricted entities in its security portal",
    "550 5.1.8": "Microsoft has restricted our sender: release it under restricted entities in its security portal",
    "invalid_client": "Microsoft refuses our application: look at CRITTER_M365_CLIENT_ID, and whether "
    "CRITTER_M365_CLIENT_SECRET has ended",
    "unauthorized_client": "Microsoft does not know our application in that tenant: look at CRITTER_M365_TENANT and "
    "CRITTER_M365_CLIENT_ID",
    "invalid_scope": "the application lacks SMTP.SendAsApp of Exchange Online, or an administrator's consent to it",
    "invalid_request": "the token endpoint does not understand us: look at CRITTER_M365_TENANT, CRITTER_M365_TOKEN_URL",
    "invalid_grant": "the application lacks SMTP.SendAsApp of Exchange Online, or an administrator's consent to it",
    "daily": "the day's mails are used up: it goes on at midnight UTC; what waits is kept. CRITTER_SMTP_DAILY is the "
    "limit; when you raised it: critter carriers resume mail",
    "tls": "the relay has no valid TLS where CRITTER_SMTP_RELAY asks for it: look at its scheme, port and certificate",
}

RELAY: Final = CarrierDescriptor(
    name="smtp",
    channel=EMAIL,
    settings=RelaySettings,
    needed=("CRITTER_SMTP_RELAY",),
    make="gateway.carriers.smtp.provider_profiles:relay",
    checks={"relay": "gateway.carriers.smtp.check:greets"},
    hosts=_hosts,
    refuse=_refuse,
    defaults=_defaults,
    advice=ADVICE,
)
