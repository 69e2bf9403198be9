"""Every setting, read once from the environment and .env by load(); nobody else reads them. Called by critter/."""

import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, ValidationError, create_model, model_validator

from gateway.carriers.descriptors import registry
from gateway.carriers.descriptors.descriptor import CarrierDescriptor
from gateway.carriers.descriptors.kannel import KannelSettings
from gateway.carriers.descriptors.registry import CARRIERS
from gateway.carriers.descriptors.smtp import RelaySettings
from gateway.carriers.descriptors.twilio import TwilioSettings
from gateway.carriers.descriptors.webhook import WebhookSettings
from gateway.carriers.descriptors.webpush import WebPushSettings
from gateway.channels import EMAIL, NAMES, PUSH, SMS
from gateway.errors import SettingsError
from gateway.setting_types import values as value
from gateway.setting_types.fields import BaseUrl, Listen, Money, Networks, Parts, Switch, Words, env
from gateway.settings import embedded, prices, sms_numbers
from gateway.settings import smtp_users as users
from gateway.settings.defaults import fill_in
from gateway.typed_input import strip_invisible

ENV_FILE = Path(".env")
FEWEST_DIFFERENT = 8  # different characters; a secret that was typed carelessly has fewer


class Settings(TwilioSettings, KannelSettings, WebhookSettings, RelaySettings, WebPushSettings):
    """What the environment says, checked. Lists are tuples; money is in US dollars, durations in seconds. The settings
    of our own carriers are bases, so that they have types here; load() adds those of any other carrier."""

    var: Path = env("CRITTER_VAR")
    company: Annotated[str, BeforeValidator(value.one_line(60))] = env("CRITTER_COMPANY")
    contact: Annotated[str, BeforeValidator(value.one_line(100))] = env("CRITTER_CONTACT", default="")
    unsafe: Switch = env("CRITTER_UNSAFE")

    public_url: BaseUrl = env("CRITTER_PUBLIC_URL")
    fallback_url: BaseUrl | None = env("CRITTER_FALLBACK_URL", default=None)
    secret_keys: Words = env("CRITTER_SECRET_KEY", min_length=1, repr=False)
    database_url: Annotated[str, BeforeValidator(value.database_url)] = env("CRITTER_DATABASE_URL", repr=False)
    database_owner_url: Annotated[str, BeforeValidator(value.database_url)] = env(
        "CRITTER_DATABASE_OWNER_URL", repr=False
    )
    redis_url: Annotated[str, BeforeValidator(value.redis_url)] = env("CRITTER_REDIS_URL", repr=False)
    redis_no_password: Switch = env("CRITTER_REDIS_NO_PASSWORD")
    api_conformance: Switch = env("CRITTER_API_CONFORMANCE")
    oidc_issuer: BaseUrl | None = env("CRITTER_OIDC_ISSUER", default=None)
    oidc_client_id: str = env("CRITTER_OIDC_CLIENT_ID", default="")
    oidc_client_secret: str = env("CRITTER_OIDC_CLIENT_SECRET", default="", repr=False)
    metrics_token: Annotated[str, BeforeValidator(value.bearer)] = env("CRITTER_METRICS_TOKEN", default="", repr=False)

    proxy_from: Networks = env("CRITTER_PROXY_FROM", default=())
    web_listen: Listen = env("CRITTER_WEB_LISTEN")
    stream_listen: Listen = env("CRITTER_STREAM_LISTEN")
    stream_url: BaseUrl = env("CRITTER_STREAM_URL")
    fallback_listen: Listen = env("CRITTER_FALLBACK_LISTEN")
    smtp_listen: Listen = env("CRITTER_SMTP_LISTEN")
    smtps_listen: Listen | None = env("CRITTER_SMTPS_LISTEN", default=None)
    lmtp_listen: Annotated[value.Place, BeforeValidator(value.place)] | None = env("CRITTER_LMTP_LISTEN", default=None)
    simulator_listen: Listen = env("CRITTER_SIMULATOR_LISTEN")

    mail_domain: Annotated[str, BeforeValidator(value.domain)] = env("CRITTER_MAIL_DOMAIN", default="")
    mail_trust: Networks = env("CRITTER_MAIL_TRUST")
    dkim_selectors: Annotated[tuple[str, ...], BeforeValidator(value.selectors)] = env(
        "CRITTER_DKIM_SELECTORS", default=()
    )
    dkim_folder: Path = env("CRITTER_DKIM_FOLDER")
    mail_authserv_ids: Annotated[tuple[str, ...], BeforeValidator(value.authserv_ids)] = env(
        "CRITTER_MAIL_AUTHSERV_ID", default=()
    )
    mail_authserv_from: Networks = env("CRITTER_MAIL_AUTHSERV_FROM")
    mail_aliases: Annotated[tuple[str, ...], BeforeValidator(value.mail_aliases)] = env(
        "CRITTER_MAIL_ALIASES", default=()
    )
    dns: Annotated[tuple[tuple[str, int], ...], BeforeValidator(value.name_servers)] = env("CRITTER_DNS", default=())
    mail_largest: Annotated[int, Field(ge=65_536, le=26_214_400)] = env("CRITTER_MAIL_LARGEST")
    tls_cert: Path | None = env("CRITTER_TLS_CERT", default=None)
    tls_key: Path | None = env("CRITTER_TLS_KEY", default=None)
    tls_client_ca: Path | None = env("CRITTER_TLS_CLIENT_CA", default=None)
    smtp_users: Annotated[tuple[users.SmtpUser, ...], BeforeValidator(users.read)] = env(
        "CRITTER_SMTP_USERS", default=(), repr=False
    )
    sms_senders: Annotated[tuple[sms_numbers.SmsSender, ...], BeforeValidator(sms_numbers.sms_senders)] = env(
        "CRITTER_SMS_NUMBERS", default=()
    )
    sms_region: Annotated[str, BeforeValidator(value.country)] = env("CRITTER_SMS_REGION")
    sms_routes: Annotated[tuple[sms_numbers.SmsRoute, ...], BeforeValidator(sms_numbers.sms_routes)] = env(
        "CRITTER_SMS_ROUTES", default=()
    )
    sms_rate: Annotated[float, Field(gt=0, le=10_000)] = env("CRITTER_SMS_RATE")
    sms_account_rate: Annotated[float | None, Field(gt=0, le=10_000)] = env("CRITTER_SMS_ACCOUNT_RATE", default=None)
    sms_intake: Literal["webhook", "poll"] = env("CRITTER_SMS_INTAKE")
    sms_intake_seconds: Annotated[float, Field(ge=0.1, le=3600)] = env("CRITTER_SMS_INTAKE_SECONDS")
    sms_price: Money = env("CRITTER_SMS_PRICE")
    sms_prices: Path | None = env("CRITTER_SMS_PRICES", default=None)
    sms_countries: Annotated[tuple[str, ...], BeforeValidator(value.countries)] = env("CRITTER_SMS_COUNTRIES")
    monthly_sms_budget: Money = env("CRITTER_MONTHLY_SMS_BUDGET")
    daily_sms_budget: Parts = env("CRITTER_DAILY_SMS_BUDGET")
    person_daily_parts: Parts = env("CRITTER_PERSON_DAILY_PARTS")
    group_daily_parts: Parts = env("CRITTER_GROUP_DAILY_PARTS")
    country_daily_parts: Parts = env("CRITTER_COUNTRY_DAILY_PARTS")
    breaker_parts: Parts = env("CRITTER_BREAKER_PARTS")

    daily_mail_hour: Annotated[int, Field(ge=0, le=23)] = env("CRITTER_DAILY_MAIL_HOUR")
    sender_limits: Switch = env("CRITTER_SENDER_LIMITS")
    invite_domains: Annotated[tuple[str, ...], BeforeValidator(value.domains)] = env(
        "CRITTER_INVITE_DOMAINS", default=()
    )
    ask_phones: Annotated[int, Field(ge=0, le=1_000_000)] = env("CRITTER_ASK_PHONES")
    silent_days: Annotated[int, Field(ge=0, le=3650)] = env("CRITTER_SILENT_DAYS")
    hold_seconds: Annotated[float, Field(ge=0, le=3600)] = env("CRITTER_HOLD_SECONDS")
    lease_seconds: Annotated[float, Field(gt=0, le=3600)] = env("CRITTER_LEASE_SECONDS")

    crash_at: Annotated[int, Field(ge=0, le=1_000)] = env("CRITTER_CRASH_AT")
    keep_raw_days: Annotated[int, Field(ge=1, le=36_500)] = env("CRITTER_KEEP_RAW_DAYS")
    keep_deliveries_days: Annotated[int, Field(ge=35, le=36_500)] = env("CRITTER_KEEP_DELIVERIES_DAYS")
    keep_consent_days: Annotated[int, Field(ge=365, le=36_500)] = env("CRITTER_KEEP_CONSENT_DAYS")
    media_largest: Annotated[int, Field(ge=1 << 10, le=100 << 20)] = env("CRITTER_MEDIA_LARGEST")
    media_most: Annotated[int, Field(ge=0, le=100)] = env("CRITTER_MEDIA_MOST")

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are on."""
        on = {SMS: self.sms, EMAIL: self.mail, PUSH: bool(self.push_key)}
        return tuple(name for name in NAMES if on[name])

    @property
    def sms_numbers(self) -> tuple[str, ...]:
        """Our numbers of all carriers."""
        return tuple(sender.number for sender in self.sms_senders)

    @property
    def sms_carriers(self) -> tuple[str, ...]:
        """The carriers that our numbers name, each once."""
        return tuple(dict.fromkeys(sender.carrier for sender in self.sms_senders))

    @property
    def mail_carrier(self) -> CarrierDescriptor:
        """The carrier that all mails leave by."""
        fields = type(self).model_fields.items()
        return registry.for_mails({field.alias for name, field in fields if field.alias and getattr(self, name)})

    def carriers_for(self, channel: str) -> list[CarrierDescriptor]:
        """The carriers by which a channel sends; none for anything that is no channel."""
        if channel == SMS:
            return [CARRIERS[name] for name in self.sms_carriers]
        if channel == PUSH:
            return registry.for_pushes() if self.push_key else []
        return [self.mail_carrier] if channel == EMAIL else []

    @property
    def listed_numbers(self) -> tuple[str, ...]:
        """Our numbers whose carrier has a list of the texts to us."""
        return tuple(sender.number for sender in self.sms_senders if CARRIERS[sender.carrier].inbox)

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
    def _carriers_are_content(self) -> Self:
        for carrier in CARRIERS.values():
            carrier.refuse(self)
        return self

    @model_validator(mode="after")
    def _company_sign_in_is_whole(self) -> Self:
        given = {
            "CRITTER_OIDC_ISSUER": self.oidc_issuer,
            "CRITTER_OIDC_CLIENT_ID": self.oidc_client_id,
            "CRITTER_OIDC_CLIENT_SECRET": self.oidc_client_secret,
        }
        missing = [name for name, value in given.items() if not value]
        if missing and len(missing) < len(given):
            raise SettingsError(f"{missing[0]}: must be set: it goes with the other settings of CRITTER_OIDC_")
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
    def _conformance_stays_here(self) -> Self:
        """In a conformance run anybody who reaches the web can make people and sign in as them."""
        here = value.is_loopback(self.web_listen[0]) and self.database_url == embedded.database_url(self.var)
        if self.api_conformance and not (here and self.mode == "simulated"):
            raise SettingsError(
                "CRITTER_API_CONFORMANCE: is for test runs on one machine: it needs simulated mode, the embedded "
                "database (no CRITTER_DATABASE_URL) and CRITTER_WEB_LISTEN on 127.0.0.1, ::1 or localhost"
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
    model = _model()
    secret = {field.alias for field in model.model_fields.values() if not field.repr}
    seen = {
        name: text.strip() if name in secret else strip_invisible(text)
        for name, text in given.items()
        if name in _names(model)
    }
    known = {name: text for name, text in seen.items() if text}
    try:
        return model.model_validate(fill_in(known))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        raise SettingsError(f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}") from None


def _model() -> type[Settings]:
    """Settings with those of every registered carrier: one that Settings does not know brings its own."""
    more = [carrier.settings for carrier in CARRIERS.values() if not issubclass(Settings, carrier.settings)]
    return (
        create_model("Settings", __base__=cast("tuple[type[Settings], ...]", (Settings, *more))) if more else Settings
    )


def _names(model: type[Settings]) -> set[str]:
    return {field.alias for field in model.model_fields.values() if field.alias}


def _from_file_and_process() -> dict[str, str]:
    """.env of the current folder, overridden by the environment of the process."""
    try:
        written = {strip_invisible(name): text for name, text in dotenv_values(ENV_FILE, interpolate=False).items()}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env: cannot be read ({error})") from None
    _refuse_unknown(written)
    return {**{name: text for name, text in written.items() if text is not None}, **os.environ}


def _refuse_unknown(written: Iterable[str]) -> None:
    """Names that begin as ours do must be ours: CRITTER_, and the prefixes of the carriers."""
    names = _names(_model())
    ours = tuple({f"{name.partition('_')[0]}_" for name in names})
    for name in written:
        if name.startswith(ours) and name not in names:
            near = get_close_matches(name, names, 1)
            raise SettingsError(f"{name}: no such setting{f'; did you mean {near[0]}?' if near else ''} (in .env)")


def _refuse_leaving(settings: Settings) -> None:
    """In simulated mode nothing may leave the machine."""
    here = "is not on this machine: simulated mode talks to loopback (or 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24)"
    hosts = {name: host for carrier in CARRIERS.values() for name, host in carrier.hosts(settings).items()}
    hosts |= {
        "CRITTER_SIMULATOR_LISTEN": settings.simulator_listen[0],
        "CRITTER_OIDC_ISSUER": urlsplit(settings.oidc_issuer or "").hostname or "",
        "CRITTER_DNS": next((host for host, _ in settings.dns if not value.stays_here(host)), ""),
    }
    for name, host in hosts.items():
        if host and not value.stays_here(host):
            raise SettingsError(f"{name}: {host} {here}; to send for real set CRITTER_MODE=live")


def _refuse_pretending(settings: Settings) -> None:
    """Live mode needs real secrets, and allows no experiments."""
    _refuse_weak_secrets(settings)
    _refuse_open_ways(settings)
    if settings.unsafe:
        raise SettingsError("CRITTER_UNSAFE: is for experiments in simulated mode")
    if settings.crash_at:
        raise SettingsError("CRITTER_CRASH_AT: is for experiments in simulated mode")


def _refuse_weak_secrets(settings: Settings) -> None:
    """Live mode refuses secrets that could be guessed."""
    if any(len(key) < value.SHORTEST_SECRET for key in settings.secret_keys):
        make = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        raise SettingsError(
            f"CRITTER_SECRET_KEY: needs {value.SHORTEST_SECRET} characters or more; make one with {make}"
        )
    if any(len(set(key)) < FEWEST_DIFFERENT for key in settings.secret_keys):
        raise SettingsError("CRITTER_SECRET_KEY: can be guessed, for it repeats the same few characters; make one")


def _refuse_open_ways(settings: Settings) -> None:
    """Live mode refuses to send words, numbers and secrets over a network that others can read or write."""
    if settings.oidc_issuer and not settings.oidc_issuer.startswith("https:"):
        raise SettingsError("CRITTER_OIDC_ISSUER: must be https://…: whoever reads along could sign in as anybody")
    if value.is_open_redis(settings.redis_url) and not settings.redis_no_password:
        raise SettingsError(
            "CRITTER_REDIS_URL: has no password, and whoever reaches that Redis can hold all texts and mails up: give "
            "one (rediss://:PASSWORD@HOST:PORT/0) or a unix socket, or set CRITTER_REDIS_NO_PASSWORD=on"
        )
