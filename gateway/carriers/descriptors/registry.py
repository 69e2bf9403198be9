"""All carriers: one line each."""

from collections.abc import Collection
from typing import Final

from gateway.carriers.descriptors import kannel, smtp, twilio, webhook, webpush
from gateway.carriers.descriptors.descriptor import CarrierDescriptor
from gateway.channels import EMAIL, PUSH, SMS

DEFAULT: Final = twilio.TWILIO.name  # the carrier of a number that names none

CARRIERS: Final[dict[str, CarrierDescriptor]] = {
    each.name: each
    for each in (
        twilio.TWILIO,
        kannel.KANNEL,
        webhook.HOOK,
        smtp.RELAY,
        webpush.WEB_PUSH,
    )
}


def for_texts() -> dict[str, CarrierDescriptor]:
    """The carriers that a number of ours may be with."""
    return {name: each for name, each in CARRIERS.items() if each.channel == SMS}


def for_pushes() -> list[CarrierDescriptor]:
    return [each for each in CARRIERS.values() if each.channel == PUSH]


def for_mails(given: Collection[str]) -> CarrierDescriptor:
    """The carrier for mails: the last one whose settings are `given`. The relay, which comes first, takes them when
    there is no other."""
    carriers = [each for each in CARRIERS.values() if each.channel == EMAIL]
    return next((each for each in reversed(carriers) if set(each.needed) <= set(given)), carriers[0])
