"""Every setting, read once from the environment and .env by load(); nobody else reads them. Called by critter/."""

import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from gateway.channels import EMAIL, NAMES, SMS
from gateway.errors import SettingsError
from gateway.settings import prices
from gateway.settings import smtp_users as users
from gateway.settings import values as value
from gateway.settings.defaults import fill_in
from gateway.typed_input import strip_invisible

ENV_FILE = Path(".env")
SHORTEST_SECRET = 32  # characters, live
FEWEST_DIFFERENT = 8  # different characters; a secret that was typed carelessly has fewer

Switch = Annotated[bool, BeforeValidator(value.switch)]
Words = Annotated[tuple[str, ...], BeforeValidator(value.comma_list)]
Listen = Annotated[tuple[str, int], BeforeValidator(value.listen)]
BaseUrl = Annotated[str, BeforeValidator(value.base_url)]
Visible = Annotated[str, BeforeValidator(value.visible)]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Parts = Annotated[int, Field(ge=0, le=1_000_000_000)]


def _env(name: str, **rules: Any) -> Any:
    return Field(alias=name, **rules)


class Settings(BaseModel):
    """What the environment says, checked. Lists are tuples; money is in US dollars, durations in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["simulated", "live"] = _env("CRITTER_MODE")
    var: Path = _env("CRITTER_VAR")
    company: Annotated[str, BeforeValidator(value.one_line(60))] = _env("CRITTER_COMPANY")
    unsafe: Switch = _env("CRITTER_UNSAFE")

    public_url: BaseUrl = _env("CRITTER_PUBLIC_URL")
    fallback_url: BaseUrl | None = _env("CRITTER_FALLBACK_URL", default=None)
    secret_keys: Words = _env("CRITTER_SECRET_KEY", min_length=1, repr=False)
    database_url: Annotated[str, BeforeValidator(value.database_url)] = _env("CRITTER_DATABASE_URL", repr=False)
    database_owner_url: Annotated[str, BeforeValidator(value.database_url)] = _env(
        "CRITTER_DATABASE_OWNER_URL", repr=False
    )
    redis_url: Annotated[str, BeforeValidator(value.redis_url)] = _env("CRITTER_REDIS_URL", repr=False)
    redis_no_password: Switch = _env("CRITTER_REDIS_NO_PASSWORD")
    metrics_token: Annotated[str, BeforeValidator(value.bearer)] = _env("CRITTER_METRICS_TOKEN", default="", repr=False)

    proxy_from: Annotated[tuple[value.Network, ...], BeforeValidator(value.networks)] = _env(
        "CRITTER_PROXY_FROM", default=()
    )
    web_listen: Listen = _env("CRITTER_WEB_LISTEN")
    fallback_listen: Listen = _env("CRITTER_FALLBACK_LISTEN")
    smtp_listen: Listen = _env("CRITTER_SMTP_LISTEN")
    smtps_listen: Listen | None = _env("CRITTER_SMTPS_LISTEN", default=None)
    lmtp_listen: Annotated[value.Place, BeforeValidator(value.place)] | None = _env("CRITTER_LMTP_LISTEN", default=None)
    simulator_listen: Listen = _env("CRITTER_SIMULATOR_LISTEN")

    mail: Switch = _env("CRITTER_MAIL")
    mail_domain: Annotated[str, BeforeValidator(value.domain)] = _env("CRITTER_MAIL_DOMAIN", default="")
    mail_trust: Annotated[tuple[value.Network, ...], BeforeValidator(value.networks)] = _env("CRITTER_MAIL_TRUST")
    dkim_selectors: Annotated[tuple[str, ...], BeforeValidator(value.selectors)] = _env(
        "CRITTER_DKIM_SELECTORS", default=()
    )
    dkim_folder: Path = _env("CRITTER_DKIM_FOLDER")
    mail_authserv_ids: Annotated[tuple[str, ...], BeforeValidator(value.authserv_ids)] = _env(
        "CRITTER_MAIL_AUTHSERV_ID", default=()
    )
    mail_authserv_from: Annotated[tuple[value.Network, ...], BeforeValidator(value.networks)] = _env(
        "CRITTER_MAIL_AUTHSERV_FROM"
    )
    mail_aliases: Annotated[tuple[str, ...], BeforeValidator(value.mail_aliases)] = _env(
        "CRITTER_MAIL_ALIASES", default=()
    )
    dns: Annotated[tuple[tuple[str, int], ...], BeforeValidator(value.name_servers)] = _env("CRITTER_DNS", default=())
    mail_largest: Annotated[int, Field(ge=65_536, le=26_214_400)] = _env("CRITTER_MAIL_LARGEST")
    tls_cert: Path | None = _env("CRITTER_TLS_CERT", default=None)
    tls_key: Path | None = _env("CRITTER_TLS_KEY", default=None)
    tls_client_ca: Path | None = _env("CRITTER_TLS_CLIENT_CA", default=None)
    smtp_users: Annotated[tuple[users.SmtpUser, ...], BeforeValidator(users.read)] = _env(
        "CRITTER_SMTP_USERS", default=(), repr=False
    )
    smtp_relay: Annotated[str, BeforeValidator(value.relay_url)] = _env("CRITTER_SMTP_RELAY", default="", repr=False)
    smtp_profile: Literal["plain", "google-ip", "m365-connector", "m365-oauth"] = _env("CRITTER_SMTP_PROFILE")
    smtp_from: Annotated[str, BeforeValidator(value.sender)] = _env("CRITTER_SMTP_FROM", default="")
    smtp_connections: Annotated[int | None, Field(ge=1, le=100)] = _env("CRITTER_SMTP_CONNECTIONS", default=None)
    smtp_rate: Annotated[float | None, Field(ge=0, le=10_000)] = _env("CRITTER_SMTP_RATE", default=None)
    smtp_daily: Annotated[int | None, Field(ge=0, le=1_000_000_000)] = _env("CRITTER_SMTP_DAILY", default=None)
    smtp_certificate: Path | None = _env("CRITTER_SMTP_CERTIFICATE", default=None)
    m365_tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]*$")] = _env("CRITTER_M365_TENANT", default="")
    m365_client_id: Visible = _env("CRITTER_M365_CLIENT_ID", default="")
    m365_client_secret: Visible = _env("CRITTER_M365_CLIENT_SECRET", default="", repr=False)
    m365_token_url: BaseUrl | None = _env("CRITTER_M365_TOKEN_URL", default=None)

    sms: Switch = _env("CRITTER_SMS")
    sms_senders: Annotated[tuple[value.SmsSender, ...], BeforeValidator(value.sms_senders)] = _env(
        "CRITTER_SMS_NUMBERS", default=()
    )
    sms_region: Annotated[str, BeforeValidator(value.country)] = _env("CRITTER_SMS_REGION")
    sms_routes: Annotated[tuple[value.SmsRoute, ...], BeforeValidator(value.sms_routes)] = _env(
        "CRITTER_SMS_ROUTES", default=()
    )
    sms_rate: Annotated[float, Field(gt=0, le=10_000)] = _env("CRITTER_SMS_RATE")
    sms_account_rate: Annotated[float | None, Field(gt=0, le=10_000)] = _env("CRITTER_SMS_ACCOUNT_RATE", default=None)
    sms_intake: Literal["webhook", "poll"] = _env("CRITTER_SMS_INTAKE")
    sms_intake_seconds: Annotated[float, Field(ge=0.1, le=3600)] = _env("CRITTER_SMS_INTAKE_SECONDS")
    sms_price: Money = _env("CRITTER_SMS_PRICE")
    sms_prices: Path | None = _env("CRITTER_SMS_PRICES", default=None)
    sms_countries: Annotated[tuple[str, ...], BeforeValidator(value.countries)] = _env("CRITTER_SMS_COUNTRIES")
    monthly_sms_budget: Money = _env("CRITTER_MONTHLY_SMS_BUDGET")
    daily_sms_budget: Parts = _env("CRITTER_DAILY_SMS_BUDGET")
    person_daily_parts: Parts = _env("CRITTER_PERSON_DAILY_PARTS")
    group_daily_parts: Parts = _env("CRITTER_GROUP_DAILY_PARTS")
    country_daily_parts: Parts = _env("CRITTER_COUNTRY_DAILY_PARTS")
    breaker_parts: Parts = _env("CRITTER_BREAKER_PARTS")
    twilio_account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-f]{32}$")] = _env("TWILIO_ACCOUNT_SID", default="")
    twilio_auth_tokens: Words = _env("TWILIO_AUTH_TOKEN", default=(), repr=False)
    twilio_api_base: BaseUrl = _env("TWILIO_API_BASE")
    twilio_messaging_service_sid: Annotated[str, Field(pattern=r"^MG[0-9a-f]{32}$")] | None = _env(
        "TWILIO_MESSAGING_SERVICE_SID", default=None
    )

    kannel_url: BaseUrl = _env("KANNEL_URL", default="")
    kannel_username: Visible = _env("KANNEL_USERNAME", default="")
    kannel_password: Visible = _env("KANNEL_PASSWORD", default="", repr=False)
    kannel_token: Visible = _env("KANNEL_TOKEN", default="", repr=False)
    kannel_from: Annotated[tuple[value.Network, ...], BeforeValidator(value.networks)] = _env("KANNEL_FROM")
    kannel_callbacks: BaseUrl | None = _env("KANNEL_CALLBACKS", default=None)
    hook_url: BaseUrl = _env("CRITTER_HOOK_URL", default="")
    hook_secrets: Annotated[tuple[str, ...], BeforeValidator(value.hook_secrets)] = _env(
        "CRITTER_HOOK_SECRET", default=(), repr=False
    )

    daily_mail_hour: Annotated[int, Field(ge=0, le=23)] = _env("CRITTER_DAILY_MAIL_HOUR")
    sender_limits: Switch = _env("CRITTER_SENDER_LIMITS")
    invite_domains: Annotated[tuple[str, ...], BeforeValidator(value.domains)] = _env(
        "CRITTER_INVITE_DOMAINS", default=()
    )
    ask_phones: Annotated[int, Field(ge=0, le=1_000_000)] = _env("CRITTER_ASK_PHONES")
    silent_days: Annotated[int, Field(ge=0, le=3650)] = _env("CRITTER_SILENT_DAYS")
    hold_seconds: Annotated[float, Field(ge=0, le=3600)] = _env("CRITTER_HOLD_SECONDS")
    lease_seconds: Annotated[float, Field(gt=0, le=3600)] = _env("CRITTER_LEASE_SECONDS")

    crash_at: Annotated[int, Field(ge=0, le=1_000)] = _env("CRITTER_CRASH_AT")
    keep_raw_days: Annotated[int, Field(ge=1, le=36_500)] = _env("CRITTER_KEEP_RAW_DAYS")
    keep_deliveries_days: Annotated[int, Field(ge=35, le=36_500)] = _env("CRITTER_KEEP_DELIVERIES_DAYS")
    keep_consent_days: Annotated[int, Field(ge=365, le=36_500)] = _env("CRITTER_KEEP_CONSENT_DAYS")
    twilio_redact: Switch = _env("CRITTER_TWILIO_REDACT")
    media_largest: Annotated[int, Field(ge=1 << 10, le=100 << 20)] = _env("CRITTER_MEDIA_LARGEST")
    media_most: Annotated[int, Field(ge=0, le=100)] = _env("CRITTER_MEDIA_MOST")

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are on."""
        on = {SMS: self.sms, EMAIL: self.mail}
        return tuple(name for name in NAMES if on[name])

    @property
    def sms_numbers(self) -> tuple[str, ...]:
        """Our numbers of all carriers."""
        return tuple(sender.number for sender in self.sms_senders)

    @property
    def sms_carriers(self) -> tuple[str, ...]:
        """The carriers that our numbers name, each once."""
        return tuple(dict.fromkeys(sender.carrier for sender in self.sms_senders))

    def numbers_with(self, carrier: str) -> tuple[str, ...]:
        return tuple(sender.number for sender in self.sms_senders if sender.carrier == carrier)

    @property
    def settle_seconds(self) -> int:
        """How long after an attempt Twilio's list of messages is complete enough to believe that a text is absent."""
        return 60 if self.mode == "live" else 2

    def price_of(self, country: str) -> Decimal:
        """Dollars that one part of a text to a phone in that country costs."""
        return self.sms_price if country == self.sms_region else prices.read(self.sms_prices).to(country)

    @model_validator(mode="after")
    def _prices_are_readable(self) -> Self:
        prices.read(self.sms_prices)
        return self

    @property
    def whole_list_seconds(self) -> float:
        """How often all of Twilio's list of texts to us is read, not only the newest: this finds texts that show up
        late."""
        return max(self.sms_intake_seconds, 120.0 if self.mode == "live" else 10.0)

    @model_validator(mode="after")
    def _routes_lead_somewhere(self) -> Self:
        for route in self.sms_routes:
            if route.carrier not in self.sms_carriers:
                raise SettingsError(
                    f"CRITTER_SMS_ROUTES: {route} leads nowhere: CRITTER_SMS_NUMBERS has no number @{route.carrier}"
                )
        if len(set(self.sms_numbers)) < len(self.sms_numbers):
            raise SettingsError("CRITTER_SMS_NUMBERS: names a number twice")
        return self

    @model_validator(mode="after")
    def _relay_fits_its_profile(self) -> Self:
        if self.mail:
            _refuse_unfit_relay(self)
        return self

    @model_validator(mode="after")
    def _certificates_are_whole(self) -> Self:
        """Raises SettingsError when a setting needs TLS and there is no certificate, instead of silently going
        without."""
        needs = {
            "CRITTER_TLS_CERT": self.tls_key,
            "CRITTER_TLS_KEY": self.tls_cert or self.smtps_listen or self.smtp_users or self.tls_client_ca,
        }
        for name, needed in needs.items():
            if needed and not {"CRITTER_TLS_CERT": self.tls_cert, "CRITTER_TLS_KEY": self.tls_key}[name]:
                raise SettingsError(
                    f"{name}: must be set: a certificate and its key go together, and CRITTER_SMTPS_LISTEN, "
                    "CRITTER_SMTP_USERS and CRITTER_TLS_CLIENT_CA need both"
                )
        return self

    @model_validator(mode="after")
    def _modes_never_mix(self) -> Self:
        if self.mode == "live":
            _refuse_pretending(self)
        else:
            _refuse_leaving(self)
        return self


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process, or of the given environment alone (tests); raises SettingsError of one line."""
    given = _from_file_and_process() if environ is None else dict(environ)
    secret = {field.alias for field in Settings.model_fields.values() if not field.repr}
    seen = {
        name: text.strip() if name in secret else strip_invisible(text)
        for name, text in given.items()
        if name in _names()
    }
    known = {name: text for name, text in seen.items() if text}
    try:
        return Settings.model_validate(fill_in(known))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        raise SettingsError(f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}") from None


def _names() -> set[str]:
    return {field.alias for field in Settings.model_fields.values() if field.alias}


def _from_file_and_process() -> dict[str, str]:
    """.env of the current folder, overridden by the environment of the process."""
    try:
        written = {strip_invisible(name): text for name, text in dotenv_values(ENV_FILE, interpolate=False).items()}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env: cannot be read ({error})") from None
    _refuse_unknown(written)
    return {**{name: text for name, text in written.items() if text is not None}, **os.environ}


def _refuse_unknown(written: Iterable[str]) -> None:
    for name in written:
        if name.startswith(("CRITTER_", "TWILIO_", "KANNEL_")) and name not in _names():
            near = get_close_matches(name, _names(), 1)
            raise SettingsError(f"{name}: no such setting{f'; did you mean {near[0]}?' if near else ''} (in .env)")


def _refuse_unfit_relay(settings: Settings) -> None:
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


def _refuse_leaving(settings: Settings) -> None:
    """In simulated mode nothing may leave the machine."""
    here = "is not on this machine: simulated mode talks to loopback (or 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24)"
    hosts = {
        "TWILIO_API_BASE": value.host_of(settings.twilio_api_base),
        "CRITTER_SMTP_RELAY": value.host_of(settings.smtp_relay),
        "CRITTER_M365_TOKEN_URL": _token_host(settings),
        "CRITTER_SIMULATOR_LISTEN": settings.simulator_listen[0],
        "KANNEL_URL": value.host_of(settings.kannel_url),
        "CRITTER_HOOK_URL": value.host_of(settings.hook_url),
        "CRITTER_DNS": next((host for host, _ in settings.dns if not value.stays_here(host)), ""),
    }
    for name, host in hosts.items():
        if host and not value.stays_here(host):
            raise SettingsError(f"{name}: {host} {here}; to send for real set CRITTER_MODE=live")


def _token_host(settings: Settings) -> str:
    if settings.smtp_profile != "m365-oauth" or not settings.mail:
        return ""
    return value.host_of(settings.m365_token_url or "https://login.microsoftonline.com")


def _refuse_pretending(settings: Settings) -> None:
    """Live mode needs real secrets and the real Twilio, and allows no experiments."""
    host = value.host_of(settings.twilio_api_base)
    if not (host == "twilio.com" or host.endswith(".twilio.com")) or not settings.twilio_api_base.startswith("https:"):
        raise SettingsError(f"TWILIO_API_BASE: {host} is not a host of twilio.com over https, which live mode needs")
    _refuse_weak_secrets(settings)
    _refuse_open_ways(settings)
    if settings.unsafe:
        raise SettingsError("CRITTER_UNSAFE: is for experiments in simulated mode")
    if settings.crash_at:
        raise SettingsError("CRITTER_CRASH_AT: is for experiments in simulated mode")


def _refuse_weak_secrets(settings: Settings) -> None:
    """Live mode refuses secrets that could be guessed."""
    if any(len(key) < SHORTEST_SECRET for key in settings.secret_keys):
        make = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        raise SettingsError(f"CRITTER_SECRET_KEY: needs {SHORTEST_SECRET} characters or more; make one with {make}")
    if any(len(set(key)) < FEWEST_DIFFERENT for key in settings.secret_keys):
        raise SettingsError("CRITTER_SECRET_KEY: can be guessed, for it repeats the same few characters; make one")
    secrets = {"CRITTER_HOOK_SECRET": settings.hook_secrets, "KANNEL_TOKEN": (settings.kannel_token,)}
    for name, given in secrets.items():
        if any(0 < len(secret) < SHORTEST_SECRET for secret in given):
            raise SettingsError(f"{name}: needs {SHORTEST_SECRET} characters or more, such as CRITTER_SECRET_KEY has")


def _refuse_open_ways(settings: Settings) -> None:
    """Live mode refuses to send words, numbers and secrets over a network that others can read or write."""
    if settings.hook_url and not settings.hook_url.startswith("https:"):
        raise SettingsError("CRITTER_HOOK_URL: must begin with https: texts and numbers would travel open")
    if settings.m365_token_url and not settings.m365_token_url.startswith("https:"):
        raise SettingsError("CRITTER_M365_TOKEN_URL: must begin with https: our client secret would travel open")
    if value.is_open_redis(settings.redis_url) and not settings.redis_no_password:
        raise SettingsError(
            "CRITTER_REDIS_URL: has no password, and whoever reaches that Redis can hold all texts and mails up: give "
            "one (rediss://:PASSWORD@HOST:PORT/0) or a unix socket, or set CRITTER_REDIS_NO_PASSWORD=on"
        )
