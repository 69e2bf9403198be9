"""What operators should do when a carrier refuses us, by its code; `critter carriers` and `critter check` show it."""

from gateway.carriers.descriptors.registry import CARRIERS


def advice(code: str | None, carrier: str = "") -> str:
    """Returns the step to take, "" for a code that does not refuse our account or number. Without the carrier's name,
    the first one that knows the code is believed: their codes differ."""
    known = [CARRIERS[carrier]] if carrier in CARRIERS else CARRIERS.values()
    return next((each.advice[code] for each in known if code is not None and code in each.advice), "")
