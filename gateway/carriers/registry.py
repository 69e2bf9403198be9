"""The carriers for texts by the names that CRITTER_SMS_NUMBERS may have: one line each.

critter/processes/workers builds the carriers of our numbers with it; workers/callbacks reads their status callbacks
with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.carriers.common.protocol import Carrier, Text
from gateway.carriers.common.receipt import Receipt
from gateway.carriers.kannel import codes as kannel_codes
from gateway.carriers.kannel.sms import KannelSms
from gateway.carriers.twilio import error_codes
from gateway.carriers.twilio.sms import TwilioSms
from gateway.carriers.webhook import codes
from gateway.carriers.webhook.sms import HookSms
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class CarrierEntry:
    """How a carrier is made, and what a status and reason that its door recorded mean: None for an unknown status."""

    make: Callable[[Settings], Carrier[Text]]
    receipt: Callable[[str, str | None], Receipt | None]


def _twilio(settings: Settings) -> TwilioSms:
    return TwilioSms(settings.twilio_account_sid, settings.twilio_auth_tokens[0], settings.twilio_api_base)


def _kannel(settings: Settings) -> KannelSms:
    home = settings.kannel_callbacks or settings.public_url
    return KannelSms(settings.kannel_url, settings.kannel_username, settings.kannel_password, home)


def _hook(settings: Settings) -> HookSms:
    return HookSms(settings.hook_url, settings.hook_secrets[0], settings.public_url)


BY_NAME: Final[Mapping[str, CarrierEntry]] = {
    "twilio": CarrierEntry(_twilio, error_codes.callback_outcome),
    "kannel": CarrierEntry(_kannel, kannel_codes.receipt),
    "hook": CarrierEntry(_hook, codes.receipt),
}


def carriers(settings: Settings) -> dict[str, Carrier[Text]]:
    """Builds each carrier that our numbers name once; the result belongs to one process."""
    return {name: BY_NAME[name].make(settings) for name in settings.sms_carriers}
