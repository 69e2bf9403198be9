"""The reason that an operator gives for an act. The audit keeps it for ever."""

import re
from typing import Final

from gateway.errors import Refused
from gateway.store.tables import Account

LONGEST: Final = 100  # characters
_REACHES: Final = re.compile(r"@|\d{4}")


def refuse_naming(person: Account, reason: str) -> None:
    """Refuses a reason that names the person: the audit is kept when a person is erased, so it must not say who they
    were."""
    named = {word for word in re.split(r"\W+", f"{person.handle} {person.name}".lower()) if len(word) > 1}
    if named & set(re.split(r"\W+", reason.lower())):
        raise Refused(KEPT)
    refuse_numbers(reason)


def refuse_numbers(reason: str) -> None:
    """Refuses a reason with a number or an address in it."""
    if _REACHES.search(reason):
        raise Refused(KEPT)


def detail(reason: str) -> dict[str, str]:
    """As it stands in the audit; nothing when none was given."""
    return {"reason": reason[:LONGEST]} if reason else {}


KEPT: Final = "The audit keeps the reason for ever: say it without names, numbers and addresses."
