"""The one decision about a message on its way to an address. network/audience/send_refusals.py asks it when a delivery
is about to leave."""

from typing import Final

from gateway.attention.decision import SEND, Decision
from gateway.attention.eligibility import ELIGIBILITY, PREFERENCES, Rule
from gateway.attention.facts import KINDS, Facts
from gateway.channels import CHANNELS

RULES: Final[tuple[Rule, ...]] = (*ELIGIBILITY, *PREFERENCES)


def decide(facts: Facts) -> Decision:
    """Returns what the first rule says that has something to say; else it is sent."""
    for rule in RULES:
        if (decision := rule(facts)) is not None:
            return decision
    return SEND


# Deliveries with the usual facts alone are not looked at (facts.find): they are sent.
assert all(decide(Facts(kind=kind, channel=channel)) == SEND for kind in KINDS for channel in CHANNELS)
