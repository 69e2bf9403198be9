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
    fallback_listen: Listen = _env("CRITTER_FALLBACK_LISTEN")
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
    sms_intake: Literal["webhook", "poll"] = _env("CRITTER_SMS_INTAKE")
    sms_intake_seconds: Annotated[float, Field(ge=0.1, le=3600)] = _env("CRITTER_SMS_INTAKE_SECONDS")
