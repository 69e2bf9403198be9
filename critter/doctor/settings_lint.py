"""Operators' mistakes that the settings themselves show: each is one line with the setting's name and the fix.

`critter check` shows them, and so does each process when it starts (critter/doctor/startup_warnings). An impossible
value, such as a rate of 0, never gets this far: gateway/settings refuses it.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from gateway.errors import SettingsError
from gateway.mail.compose import dkim_keys
from gateway.settings import Settings


def find_mistakes(settings: Settings) -> list[str]:
    return [*_channels(settings), *(_money(settings) if settings.sms else ()), *_address(settings), *_signing(settings)]


def _channels(settings: Settings) -> Iterator[str]:
    if not settings.sms and not settings.mail:
        yield "CRITTER_SMS and CRITTER_MAIL are off: nothing comes in or goes out; set one to on"
    if settings.sms and not settings.sms_numbers:
        yield "CRITTER_SMS_NUMBERS: there is none to send from; give your numbers as +14155550100, or CRITTER_SMS=off"


def _money(settings: Settings) -> Iterator[str]:
    if not settings.monthly_sms_budget:
        yield "CRITTER_MONTHLY_SMS_BUDGET is 0: no text may be sent; give dollars a month, or CRITTER_SMS=off"
    if not settings.sms_price:
        yield "CRITTER_SMS_PRICE is 0: the budget would never end; give the dollars that one part costs"


def _signing(settings: Settings) -> Iterator[str]:
    """A worker that sends mails does not start without the keys that it is to sign with."""
    try:
        dkim_keys.of(settings)
    except SettingsError as wrong:
        yield str(wrong)


def _address(settings: Settings) -> Iterator[str]:
    """Twilio and phones must be able to reach us."""
    if settings.mode == "live" and _is_here(urlsplit(settings.public_url).hostname or ""):
        yield f"CRITTER_PUBLIC_URL: {settings.public_url} is this machine alone; give the address that the world sees"


def _is_here(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
