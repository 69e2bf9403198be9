"""One send loop for each of our numbers, so that none sends faster than it may and none waits for another.
workers/deliver drains them all."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from math import ceil
from typing import Final

from sqlalchemy.orm import Session

from gateway.carriers.common.circuit_breaker import CircuitBreaker
from gateway.carriers.common.protocol import Carrier, Outcome, Text
from gateway.carriers.common.send_gate import OPEN, Gate
from gateway.channels import SMS
from gateway.ledger.outbox.claims import Senders
from gateway.ledger.senders import routing, senders
from gateway.ledger.senders.routing import RoutingPlan
from gateway.ledger.senders.senders import SendingNumber
from gateway.settings import Settings
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext
from workers.sending.delivery_store import DeliveryStore
from workers.sending.pacing import Bucket, Pacer
from workers.sending.render_sms import Texting
from workers.sending.send_loop import PAUSE, DeliveryPort, SendLoop
from workers.sending.text_fast_path import UsualTexts

FRESH: Final = 1.0  # seconds for which the state of our numbers is kept before it is read again
TEXTS: Final = 1000  # texts in a claim, at most; the number's rate decides
AT_ONCE: Final = 64  # texts of one number on their way, at most …
SLOWEST: Final = 10.0  # … or fewer: as many as its rate can use if each answer takes this many seconds (the timeout)
AGAIN: Final = 0.1  # seconds until a send loop that found nothing looks again, while others run


class Pool:
    """The numbers of this installation. Which of them may send is read again each second: any process may pause one."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._plan = RoutingPlan(())
        self._roads: dict[int, SendLoop[Text]] = {}
        self._read_at = float("-inf")
        self._running = 0
        self._breakers: dict[str, CircuitBreaker] = {name: CircuitBreaker() for name in context.texts}
        self._account = _account_buckets(context)

    async def drain(self, seconds: float) -> bool:
        """Sends from every number for `seconds` at most; True when there may be more."""
        if self._is_old():
            await asyncio.to_thread(self._look)
        loops = [self._send_loop(one) for one in self._plan.senders if one.carrier in self._context.texts]
        end = time.monotonic() + seconds
        return any(await asyncio.gather(*(self._travel(loop, end) for loop in loops)))

    async def _travel(self, loop: SendLoop[Text], end: float) -> bool:
        """Drains one send loop, again and again while another one runs: that one may assign it a phone that had no
        number yet."""
        while True:
            self._running += 1
            try:
                more = await loop.drain(end - time.monotonic())
            finally:
                self._running -= 1
            if more or not self._running or time.monotonic() + AGAIN > end:
                return more
            await asyncio.sleep(AGAIN)

    def _look(self) -> None:
        with transaction(self._context.engine) as session:
            self.look(session)

    def _is_old(self) -> bool:
        return time.monotonic() - self._read_at > FRESH

    def look(self, session: Session) -> None:
        """Reads the state of our numbers again, at most once a second, and assigns one to the phones that have none."""
        now = time.monotonic()
        if self._read_at == float("-inf"):
            senders.sync(session, configure_numbers(self._context.settings))
        if self._is_old():
            self._plan, self._read_at = (
                RoutingPlan(tuple(senders.active(session)), self._context.settings.sms_routes),
                now,
            )
        senders.assign(session, self.choose)

    def _send_loop(self, sender: SendingNumber) -> SendLoop[Text]:
        if sender.id not in self._roads:
            self._roads[sender.id] = self._lay(sender)
        return self._roads[sender.id]

    def _lay(self, sender: SendingNumber) -> SendLoop[Text]:
        here = self._context
        render = Texting(here.settings, here.signer, sender.number).load
        usual = UsualTexts(here, sender.id, render, lambda: self.sends_alone(sender))
        desk = DeliveryStore(here, SMS, render, PooledNumber(self, sender), usual=usual)
        pacer = Pacer([*self._account, Bucket(here.buckets, sender.number, rate(here.settings, sender.number))])
        return SendLoop(
            BreakerObserver(here.texts[sender.carrier], self._breakers[sender.carrier]),
            DeliveryPort(desk.claim, desk.settle, desk.decide, desk.release, desk.renew, desk.pause),
            here.stopping,
            pacer=pacer,
            limit=TEXTS,
            together=1,
            width=max(1, min(AT_ONCE, ceil(rate(here.settings, sender.number) * SLOWEST))),
            lease=here.settings.lease_seconds,
        )

    def choose(self, phone: str) -> int | None:
        """Returns the id of the number that a new phone will hear from; None when no route leads to the phone."""
        chosen = routing.choose(phone, self._plan)
        return chosen.id if chosen else None

    def claimable(self, sender: SendingNumber) -> Senders:
        """Returns the senders whose texts may leave from this number now: its own, and each one that is down and that
        it stands in for; none while it is down itself."""
        now = next((one for one in self._plan.senders if one.id == sender.id), None)
        if now is None or self._down(now):
            return ()
        lost = [one for one in self._plan.senders if self._down(one) and self._stand_in(one) == now]
        return (sender.id, *(one.id for one in lost))

    def sends_alone(self, sender: SendingNumber) -> bool:
        """Tells whether texts of this number, and of no other, may leave from it now."""
        if self._is_old():
            self._look()
        return self.claimable(sender) == (sender.id,)

    def _stand_in(self, lost: SendingNumber) -> SendingNumber | None:
        up = (one for one in self._plan.senders if not self._down(one))
        return next((one for one in up if routing.can_stand_in(one, lost, self._plan)), None)

    def _down(self, sender: SendingNumber) -> bool:
        """Tells whether a sender is paused or its carrier is down. If there is only one carrier, it is tried in any
        case: the backoff of its texts gives it enough rest."""
        breaker = self._breakers.get(sender.carrier)
        alone = len(self._breakers) == 1
        return sender.paused or breaker is None or (not alone and breaker.down(time.monotonic()))


class BreakerObserver:
    """A carrier that reports its outcomes to its circuit breaker."""

    channel = SMS

    def __init__(self, carrier: Carrier[Text], breaker: CircuitBreaker) -> None:
        self._carrier, self._breaker = carrier, breaker

    async def send(self, batch: Sequence[Text], settled: Callable[[Text, Outcome], None], gate: Gate = OPEN) -> None:
        def record(text: Text, outcome: Outcome) -> None:
            self._breaker.note(outcome, time.monotonic())
            settled(text, outcome)

        await self._carrier.send(batch, record, gate)

    async def close(self) -> None:
        await self._carrier.close()


class PooledNumber:
    """The sender source for one of our numbers, for its delivery store."""

    def __init__(self, pool: Pool, sender: SendingNumber) -> None:
        self._pool, self._sender = pool, sender

    def senders(self, session: Session) -> Senders:
        self._pool.look(session)
        return self._pool.claimable(self._sender)

    def pause(self, session: Session, outcome: Outcome) -> None:
        """A refusal of one number pauses that number; a refusal of the account pauses its whole carrier."""
        number = self._sender.number if outcome.one_number else None
        carrier = None if outcome.one_number else self._sender.carrier
        senders.pause(session, number, carrier, timedelta(seconds=PAUSE), outcome.reason)


def configure_numbers(settings: Settings) -> list[tuple[str, str]]:
    """Returns (number, carrier) of each sender. A Messaging Service replaces the numbers with Twilio."""
    service = settings.twilio_messaging_service_sid
    others = [(one.number, one.carrier) for one in settings.sms_senders if not (service and one.carrier == "twilio")]
    return [(service, "twilio"), *others] if service else others


def rate(settings: Settings, number: str) -> float:
    """Returns how many texts a second may leave from a number, or from all numbers of a Messaging Service."""
    together = len(settings.numbers_with("twilio")) if number == settings.twilio_messaging_service_sid else 1
    return settings.sms_rate * max(1, together)


def _account_buckets(context: WorkerContext) -> list[Bucket]:
    """Returns the rate limit that all our numbers share at Twilio, if there is one."""
    shared = context.settings.sms_account_rate
    return [Bucket(context.buckets, "account", shared, ahead=False)] if shared else []
