"""The one decision about a message on its way to an address. network/audience/delivery_decisions.py asks for it when a
delivery is about to leave, and when something that waited is due."""

from typing import Final

from gateway.attention.decision import SEND, Decision
from gateway.attention.eligibility import ELIGIBILITY, PREFERENCES, Rule
from gateway.attention.facts import KINDS, Facts
from gateway.attention.timing import TIMING
from gateway.channels import CHANNELS

RULES: Final[tuple[Rule, ...]] = (*ELIGIBILITY, *PREFERENCES, *TIMING)


def decide(facts: Facts) -> Decision:
    """Returns what the first rule says that has something to say; else it is sent."""
    for rule in RULES:
        if (decision := rule(facts)) is not None:
            return decision
    return SEND


# Deliveries with the usual facts alone are not looked at (fact_lookup.find): they are sent.
assert all(decide(Facts(kind=kind, channel=channel)) == SEND for kind in KINDS for channel in CHANNELS)
