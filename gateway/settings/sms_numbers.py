"""Our numbers, the carrier that each is with, and the routes: CRITTER_SMS_NUMBERS and CRITTER_SMS_ROUTES."""

from dataclasses import dataclass

from gateway.carriers.descriptors import registry
from gateway.setting_types.values import E164, PREFIX, SHORT_CODE, comma_list


@dataclass(frozen=True, slots=True)
class SmsSender:
    """One number of ours, E.164 or a short code, and the name of the carrier that it is with."""

    number: str
    carrier: str

    def __str__(self) -> str:
        return self.number if self.carrier == registry.DEFAULT else f"{self.number}@{self.carrier}"


@dataclass(frozen=True, slots=True)
class SmsRoute:
    """Which carrier serves the phones whose numbers begin with the prefix; an empty prefix means all others."""

    prefix: str
    carrier: str

    def __str__(self) -> str:
        return f"{self.prefix or '*'}={self.carrier}"


def sms_senders(text: str) -> tuple[SmsSender, ...]:
    """NUMBER or NUMBER@CARRIER, with commas."""
    return tuple(_sms_sender(item) for item in comma_list(text))


def _sms_sender(text: str) -> SmsSender:
    number, at, carrier = text.partition("@")
    if not E164.fullmatch(number) and not (at and SHORT_CODE.fullmatch(number)):
        raise ValueError(f"{number!r} is not a number in E.164, such as +15005550006 (or a short code: 55555@twilio)")
    return SmsSender(number, _carrier(carrier) if at else registry.DEFAULT)


def sms_routes(text: str) -> tuple[SmsRoute, ...]:
    """+PREFIX=CARRIER with commas, *=CARRIER for all others."""
    routes = tuple(_sms_route(item) for item in comma_list(text))
    if len({route.prefix for route in routes}) < len(routes):
        raise ValueError("names a prefix twice")
    return routes


def _sms_route(text: str) -> SmsRoute:
    prefix, equals, carrier = text.partition("=")
    if not equals or not PREFIX.fullmatch(prefix):
        raise ValueError(f"{text!r} is not a route, such as +49=kannel or *=twilio")
    return SmsRoute(prefix.removeprefix("*"), _carrier(carrier))


def _carrier(name: str) -> str:
    known = registry.for_texts()
    if name not in known:
        raise ValueError(f"{name!r} is no carrier: there are {', '.join(known)}")
    return name
