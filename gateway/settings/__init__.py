"""Every setting, read once from the environment and .env by load(); nobody else reads them. Called by critter/."""

import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from gateway.errors import SettingsError
from gateway.settings import values as value
from gateway.settings.defaults import filled

ENV_FILE = Path(".env")
SHORTEST_SECRET = 32  # characters, live

Switch = Annotated[bool, BeforeValidator(value.switch)]
Words = Annotated[tuple[str, ...], BeforeValidator(value.comma_list)]
Listen = Annotated[tuple[str, int], BeforeValidator(value.listen)]
BaseUrl = Annotated[str, BeforeValidator(value.base_url)]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


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
    redis_url: Annotated[str, BeforeValidator(value.redis_url)] = _env("CRITTER_REDIS_URL", repr=False)

    web_listen: Listen = _env("CRITTER_WEB_LISTEN")
    smtp_listen: Listen = _env("CRITTER_SMTP_LISTEN")
    simulator_listen: Listen = _env("CRITTER_SIMULATOR_LISTEN")

    mail: Switch = _env("CRITTER_MAIL")
    mail_domain: Annotated[str, BeforeValidator(value.domain)] = _env("CRITTER_MAIL_DOMAIN", default="")
    mail_trust: Annotated[tuple[value.Network, ...], BeforeValidator(value.networks)] = _env("CRITTER_MAIL_TRUST")
    smtp_relay: Annotated[str, BeforeValidator(value.relay_url)] = _env("CRITTER_SMTP_RELAY", default="", repr=False)

    sms: Switch = _env("CRITTER_SMS")
    sms_numbers: Annotated[tuple[str, ...], BeforeValidator(value.phone_numbers)] = _env(
        "CRITTER_SMS_NUMBERS", default=()
    )
    sms_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = _env("CRITTER_SMS_REGION")
    sms_rate: Annotated[float, Field(gt=0, le=10_000)] = _env("CRITTER_SMS_RATE")
    sms_account_rate: Annotated[float | None, Field(gt=0, le=10_000)] = _env("CRITTER_SMS_ACCOUNT_RATE", default=None)
    sms_price: Money = _env("CRITTER_SMS_PRICE")
    monthly_sms_budget: Money = _env("CRITTER_MONTHLY_SMS_BUDGET")
    twilio_account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-f]{32}$")] = _env("TWILIO_ACCOUNT_SID", default="")
    twilio_auth_tokens: Words = _env("TWILIO_AUTH_TOKEN", default=(), repr=False)
    twilio_api_base: BaseUrl = _env("TWILIO_API_BASE")
    twilio_messaging_service_sid: Annotated[str, Field(pattern=r"^MG[0-9a-f]{32}$")] | None = _env(
        "TWILIO_MESSAGING_SERVICE_SID", default=None
    )

    invite_domains: Annotated[tuple[str, ...], BeforeValidator(value.domains)] = _env(
        "CRITTER_INVITE_DOMAINS", default=()
    )
    ask_phones: Annotated[int, Field(ge=0, le=1_000_000)] = _env("CRITTER_ASK_PHONES")
    hold_seconds: Annotated[float, Field(ge=0, le=3600)] = _env("CRITTER_HOLD_SECONDS")
    lease_seconds: Annotated[float, Field(gt=0, le=3600)] = _env("CRITTER_LEASE_SECONDS")

    crash_at: Annotated[int, Field(ge=0, le=1_000)] = _env("CRITTER_CRASH_AT")

    @property
    def settle_seconds(self) -> int:
        """How long after an attempt Twilio's list of messages is complete enough to believe that a text is absent."""
        return 60 if self.mode == "live" else 2

    @model_validator(mode="after")
    def _modes_never_mix(self) -> Self:
        if self.mode == "live":
            _refuse_pretending(self)
        else:
            _refuse_leaving(self)
        return self


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process, or of the given environment alone (tests); raises SettingsError, one line."""
    given = _from_file_and_process() if environ is None else dict(environ)
    known = {name: text.strip() for name, text in given.items() if name in _names() and text.strip()}
    try:
        return Settings.model_validate(filled(known))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        raise SettingsError(f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}") from None


def _names() -> set[str]:
    return {field.alias for field in Settings.model_fields.values() if field.alias}


def _from_file_and_process() -> dict[str, str]:
    """.env of the current folder under the process's own environment, which wins."""
    try:
        written = dotenv_values(ENV_FILE, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env: cannot be read ({error})") from None
    _refuse_unknown(written)
    return {**{name: text for name, text in written.items() if text is not None}, **os.environ}


def _refuse_unknown(written: Iterable[str]) -> None:
    for name in written:
        if name.startswith(("CRITTER_", "TWILIO_")) and name not in _names():
            near = get_close_matches(name, _names(), 1)
            raise SettingsError(f"{name}: no such setting{f'; did you mean {near[0]}?' if near else ''} (in .env)")


def _refuse_leaving(settings: Settings) -> None:
    """Simulated: nothing may leave the machine."""
    here = "is not on this machine: simulated mode talks to loopback (or 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24)"
    hosts = {
        "TWILIO_API_BASE": value.host_of(settings.twilio_api_base),
        "CRITTER_SMTP_RELAY": value.host_of(settings.smtp_relay),
        "CRITTER_SIMULATOR_LISTEN": settings.simulator_listen[0],
    }
    for name, host in hosts.items():
        if not value.stays_here(host):
            raise SettingsError(f"{name}: {host} {here}; to send for real set CRITTER_MODE=live")


def _refuse_pretending(settings: Settings) -> None:
    """Live: real secrets, the real Twilio, no experiments."""
    host = value.host_of(settings.twilio_api_base)
    if not (host == "twilio.com" or host.endswith(".twilio.com")) or not settings.twilio_api_base.startswith("https:"):
        raise SettingsError(f"TWILIO_API_BASE: {host} is not a host of twilio.com over https, which live mode needs")
    if any(len(key) < SHORTEST_SECRET for key in settings.secret_keys):
        make = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        raise SettingsError(f"CRITTER_SECRET_KEY: needs {SHORTEST_SECRET} characters or more; make one with {make}")
    if settings.unsafe:
        raise SettingsError("CRITTER_UNSAFE: is for experiments in simulated mode")
    if settings.crash_at:
        raise SettingsError("CRITTER_CRASH_AT: is for experiments in simulated mode")
