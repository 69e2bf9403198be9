"""The country of a phone number, and whether texts may go there. Settings, addresses and the send workers ask.

A number only has to be possible: new blocks are in use before the library knows them, so one that it cannot place
counts as the main country of its calling code.
"""

from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

COUNTRIES: Final = frozenset(phonenumbers.SUPPORTED_REGIONS)
NOWHERE: Final = "ZZ"  # a calling code without a country: satellites, international numbers

# Numbers that earn money with each text, or belong to no person. Abusers of free texts use such numbers.
SERVICES: Final = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.PAGER,
        PhoneNumberType.PERSONAL_NUMBER,
    }
)


class UnreachableReason(StrEnum):
    """Why no text may go to a number. The value is the reason of the deliveries that end because of it."""

    COUNTRY = "country"
    SERVICE = "service_number"


def country(number: str) -> str:
    """The ISO 3166 code of an E.164 number's country."""
    return _placed(number)[0]


def trouble(number: str, countries: Collection[str]) -> UnreachableReason | None:
    """What keeps texts from an E.164 number, when only those `countries` may get any."""
    place, is_service = _placed(number)
    if is_service:
        return UnreachableReason.SERVICE
    return UnreachableReason.COUNTRY if place not in countries else None


@lru_cache(maxsize=65_536)
def _placed(number: str) -> tuple[str, bool]:
    """The country, and whether the number is a service's or too short for a person's: 112, 72345. Cached, because this
    takes as long as all other decisions about a text."""
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return NOWHERE, True
    main = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    found = phonenumbers.region_code_for_number(parsed) or main
    is_service = phonenumbers.number_type(parsed) in SERVICES or not phonenumbers.is_possible_number(parsed)
    return found if found in COUNTRIES else NOWHERE, is_service
