"""What the answer of a push service means (RFC 8030, 5 and 8), and what those of several devices mean together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.carriers.common.http_client import HttpResponse
from gateway.carriers.common.protocol import Outcome

GONE: Final = "gone"  # the reason of a device that gets nothing any more
WORST: Final = ("sent", "unknown", "retry", "failed")  # the first that one of the devices has counts for all


@dataclass(frozen=True, slots=True)
class PushOutcome(Outcome):
    """What became of an item for all devices of a person. `used`: those whose push service took it; `gone`: those that
    it does not know any more."""

    used: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()


def read_answer(answer: HttpResponse) -> Outcome:
    """For one device. What may have been taken is sent again: the device shows a repeat in the place of the first."""
    status, detail = answer.status, f"HTTP {answer.status}"
    if 200 <= status < 300:
        return Outcome("sent")
    if status in (404, 410):
        return Outcome("failed", reason=GONE, detail=detail)
    if status == 429 or (status == 503 and answer.wait is not None):
        return Outcome("retry", reason="busy", detail=detail, wait=answer.wait)
    if status >= 500 or status == 408:
        return Outcome("unknown", reason=str(status), detail=detail, wait=answer.wait)
    return Outcome("failed", reason=str(status), detail=detail)


def combine(outcomes: Mapping[int, Outcome]) -> PushOutcome:
    """Whoever has it on one device has it. Only when no device took it is it tried again, as long as any may still."""
    used = tuple(device for device, one in outcomes.items() if one.state == "sent")
    gone = tuple(device for device, one in outcomes.items() if one.reason == GONE)
    left = [one for one in outcomes.values() if one.reason != GONE]
    if not left:
        return PushOutcome("failed", reason=GONE, used=used, gone=gone)
    first = min(left, key=lambda one: WORST.index(one.state))
    waits = [one.wait for one in left if one.state == first.state and one.wait is not None]
    return PushOutcome(
        first.state, reason=first.reason, detail=first.detail, wait=min(waits, default=None), used=used, gone=gone
    )
