"""Twilio: texts, by its REST API and its web hooks."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from gateway.carriers.descriptors.descriptor import CarrierDescriptor, CarrierSettings
from gateway.channels import SMS
from gateway.errors import SettingsError
from gateway.setting_types import values as value
from gateway.setting_types.fields import BaseUrl, Switch, Words, env


class TwilioSettings(CarrierSettings):
    """The account, and where its API is."""

    twilio_account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-f]{32}$")] = env("TWILIO_ACCOUNT_SID", default="")
    twilio_auth_tokens: Words = env("TWILIO_AUTH_TOKEN", default=(), repr=False)
    twilio_api_base: BaseUrl = env("TWILIO_API_BASE")
    twilio_messaging_service_sid: Annotated[str, Field(pattern=r"^MG[0-9a-f]{32}$")] | None = env(
        "TWILIO_MESSAGING_SERVICE_SID", default=None
    )
    twilio_redact: Switch = env("CRITTER_TWILIO_REDACT", default=True)


def _hosts(settings: TwilioSettings) -> Mapping[str, str]:
    return {"TWILIO_API_BASE": value.host_of(settings.twilio_api_base)}


def _defaults(given: Mapping[str, str]) -> Mapping[str, str]:
    """The simulator's address, which simulated mode uses, is made up in gateway/settings/defaults."""
    return {"TWILIO_API_BASE": "https://api.twilio.com"} if given["CRITTER_MODE"] == "live" else {}


def _refuse(settings: TwilioSettings) -> None:
    url, host = settings.twilio_api_base, value.host_of(settings.twilio_api_base)
    real = url.startswith("https:") and (host == "twilio.com" or host.endswith(".twilio.com"))
    if settings.mode == "live" and not real:
        raise SettingsError(f"TWILIO_API_BASE: {host} is not a host of twilio.com over https, which live mode needs")


_ACCOUNT: Final = "the Twilio account is not active: open Twilio's console and activate or pay it"

TWILIO: Final = CarrierDescriptor(
    name="twilio",
    channel=SMS,
    settings=TwilioSettings,
    needed=("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
    make="gateway.carriers.twilio.sms:make",
    checks={"twilio": "gateway.carriers.twilio.check:account", "numbers": "gateway.carriers.twilio.check:numbers"},
    report="gateway.carriers.twilio.error_codes:callback_outcome",
    door="gateway.doors.sms.twilio:blueprint",
    hooks="gateway.doors.sms.twilio:TwilioDoor",
    inbox="gateway.carriers.twilio.inbound_list:make",
    hosts=_hosts,
    refuse=_refuse,
    defaults=_defaults,
    advice={
        "401": "look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
        "10001": _ACCOUNT,
        "20003": "look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, and in Twilio's console if it is suspended",
        "20005": _ACCOUNT,
        "21606": "this number cannot send texts there: take one with SMS in Twilio's console and set "
        "CRITTER_SMS_NUMBERS",
        "21608": "this is a trial account: upgrade it in Twilio's console, or verify each recipient there",
        "30002": "Twilio has suspended the account: its console and a mail from Twilio say why",
        "30032": "this toll-free number is not verified: send its verification in Twilio's console and wait for the "
        "yes",
        "30034": "this number is not registered for A2P 10DLC: register brand and campaign in Twilio's console, "
        "and put the number into that campaign",
    },
    answers_opt_out=True,
    calls_fallback=True,
)
