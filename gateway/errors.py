"""The few exceptions with a meaning of their own, raised and caught in every layer; anything else is a bug."""

from collections.abc import Mapping
from typing import Any, Literal

Kind = Literal["permanent", "transient", "unknown"]


class Refused(Exception):
    """What was asked cannot be done; the text is the one answer for the person who asked. What people can be refused
    has a `reason` out of i18n/refusals.py, with its facts; what only operators see has none."""

    def __init__(self, text: str, reason: str = "", facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.text = text  # as it was given: a Phrase can still be said in the person's own language
        self.reason, self.facts = reason, facts or {}


class CarrierError(Exception):
    """A carrier (Twilio, the mail relay) did not do what was asked.

    reason is its code or a short word ("21610", "timeout"); kind says whether trying again can help, and
    "unknown" that the carrier may have acted all the same.
    """

    def __init__(self, reason: str, kind: Kind) -> None:
        super().__init__(f"{reason} ({kind})")
        self.reason = reason
        self.kind: Kind = kind


class SettingsError(Exception):
    """A setting is missing or wrong; the text is one line that names it and says what to do."""
