"""One status callback, translated from the carrier's own codes into our words; workers/callbacks applies it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What the worker does about a code, in addition to settling the row:
#   retry          a new attempt later, at most `retries` of them
#   opt_out        set the opt-out of this phone
#   dead_number    switch SMS off for this phone
#   count          one more strike for this phone; three and it must be verified again
#   alert          tell the operator; the delivery has failed
#   pause_number   our sending number may not be used until a person has acted
#   pause_carrier  our account may not be used until a person has acted
Action = Literal["none", "retry", "opt_out", "dead_number", "count", "alert", "pause_number", "pause_carrier"]
Step = Literal["queued", "sending", "sent", "delivered", "failed", "retry", "cancelled"]


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one status callback says. Only a higher rank moves an attempt; the first terminal one wins."""

    step: Step
    rank: int  # 0 queued, 1 sending, 2 sent, 3 terminal
    action: Action = "none"
    reason: str = ""  # the carrier's code, or its status when there is none
    retries: int = 0
    strikes: bool = False
    slow: bool = False  # a retry waits half an hour or more for the phone
