"""The database side of a send loop: short transactions that claim, settle and give back. workers/deliver builds one for
mail, workers/sending/number_pool one for each number."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import timedelta
from typing import Final, Generic, Protocol, TypeVar

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.carriers.common.protocol import Outcome
from gateway.carriers.common.send_gate import HasAttempt
from gateway.channels import CHANNELS, EMAIL, PUSH, SMS
from gateway.ledger.commit import counters
from gateway.ledger.money import charges
from gateway.ledger.outbox import claims, digest_items, settlements
from gateway.ledger.outbox.claims import ClaimedDelivery, Key, MessageContent, Senders
from gateway.ledger.outbox.settlements import Settlement
from gateway.network.audience import delivery_decisions, visibility
from gateway.network.calls import call_words
from gateway.network.conversation import remainders
from gateway.network.digests import digest_words
from gateway.store.database import transaction
from workers.effects import address_effects, device_effects
from workers.runtime.context import WorkerContext
from workers.sending import budget_reservation
from workers.sending.relay_quota import RelayQuota
from workers.sending.send_loop import Batch, OutboundItem
from workers.sending.settlement import settlement

Parcel = TypeVar("Parcel", bound=HasAttempt)
Rendering = Callable[
    [ClaimedDelivery, MessageContent], tuple[OutboundItem[Parcel], str]
]  # returns what leaves, and the rest that `more` gives next

KEPT: Final = 64  # messages whose content is kept between claims
DIGEST: Final = "digest"  # a kind of message

log = structlog.get_logger()


class SenderSource(Protocol):
    """What rows leave from: one of our numbers, or the relay."""

    def senders(self, session: Session) -> Senders:
        """Returns the senders whose rows may be claimed now, its own first; none while it is paused."""
        ...

    def pause(self, session: Session, outcome: Outcome) -> None:
        """Tells every process that the carrier refuses us."""
        ...


class UsualWay(Protocol[Parcel]):
    """A shorter way for rows about which nothing is unusual (usual_texts.py); None: the general way is to be gone."""

    def claim(self, limit: int) -> Batch[Parcel] | None: ...
    def settle(self, rows: Sequence[Settlement]) -> bool | None: ...


class DeliveryStore(Generic[Parcel]):
    """Database operations for one channel and one sender. Its methods are called from the send loop's threads, never on
    the event loop."""

    def __init__(
        self,
        context: WorkerContext,
        channel: str,
        render: Rendering[Parcel],
        origin: SenderSource,
        day: RelayQuota | None = None,
        usual: UsualWay[Parcel] | None = None,
        look_up: Callable[[Session, Sequence[ClaimedDelivery]], None] | None = None,
    ) -> None:
        """`look_up`: finds what the rendering needs to know of all rows together."""
        self._look_up = look_up
        self._day, self._usual = day, usual
        self._context, self._channel, self._render, self._origin = context, channel, render, origin
        self._priced = CHANNELS[channel].priced
        self._lease = timedelta(seconds=context.settings.lease_seconds)
        self._look = timedelta(seconds=context.settings.settle_seconds)
        self._contents: OrderedDict[int, MessageContent] = OrderedDict()
        self._digests: set[int] = set()  # messages in hand

    def claim(self, limit: int, suspects: bool) -> Batch[Parcel]:
        """Claims due rows, without those that must not leave now: an opt-out that has committed counts."""
        batch = self._usual.claim(limit) if self._usual and not suspects else None
        return batch or self._claim_any(limit, suspects)

    def _claim_any(self, limit: int, suspects: bool) -> Batch[Parcel]:
        decided_at = time.monotonic()
        with transaction(self._context.engine) as session:
            rows = self._claimed(session, limit, suspects)
            if not rows:
                return Batch((), 0, decided_at)
            allowed, limits = delivery_decisions.keep_allowed(session, rows)
            contents = self._content_of(session, {row.message_id for row in allowed})
            allowed = _with_call_words(session, self._with_words(session, allowed, contents), contents)
            if self._look_up and allowed:
                self._look_up(session, allowed)
            loads = self._rendered(session, allowed, contents, self._cut_off(session, allowed, contents))
            if self._day:
                self._day.took(session, len(loads))
            if not self._priced:
                return Batch(loads, len(rows), decided_at)
            bought = budget_reservation.reserve(session, self._context.settings, loads, contents, limits)
        budget_reservation.tell(bought.taken)
        return Batch(bought.loads, len(rows), decided_at)

    def _claimed(self, session: Session, limit: int, suspects: bool) -> list[ClaimedDelivery]:
        senders = self._origin.senders(session)
        if senders and self._day:
            limit = self._day.remaining(session, limit)
        if not senders or not limit:
            return []
        if suspects:
            return claims.claim_suspect(session, self._channel, self._context.owner, self._lease, senders)
        return claims.claim(session, self._channel, self._context.owner, self._lease, limit, senders)

    def _rendered(
        self,
        session: Session,
        rows: Sequence[ClaimedDelivery],
        contents: Mapping[int, MessageContent],
        cut_off: AbstractSet[Key],
    ) -> list[OutboundItem[Parcel]]:
        loads: list[OutboundItem[Parcel]] = []
        rests: dict[int, tuple[str, Sequence[int]]] = {}
        for row in rows:
            try:
                content = contents[row.message_id]
                if cut_off and row.key in cut_off:
                    content = replace(content, alone=True)
                load, rest = self._render(row, content)
            except OperationalError:
                raise
            except Exception:
                log.exception("cannot be rendered", message=row.message_id)
                settlements.settle(session, [Settlement(row, "failed", reason="rendering")])
                continue
            loads.append(load)
            if rest:
                rests[row.address_id] = rest, contents[row.message_id].sources
        if rests:
            remainders.keep_all(session, rests)
        return loads

    def _with_words(
        self, session: Session, rows: Sequence[ClaimedDelivery], contents: dict[int, MessageContent]
    ) -> list[ClaimedDelivery]:
        """Puts the words of digests together, which is done when they leave. One without any words left ends here."""
        digests = {row.message_id for row in rows if contents[row.message_id].kind == DIGEST}
        if not digests:
            return list(rows)
        words = digest_words.compose(session, digests, self._context.signer, self._context.settings.mail_domain)
        self._digests |= words.keys()
        for message, found in words.items():
            contents[message] = replace(
                contents[message],
                text=found.text,
                subject=found.subject,
                body=found.body,
                quotes=found.posts,
                digest=found.kind,
            )
        empty = {row.key: "empty" for row in rows if row.message_id in digests - words.keys()}
        claims.cancel(session, rows, empty)
        return [row for row in rows if row.key not in empty]

    def _unchanged(self, session: Session, rows: Sequence[ClaimedDelivery]) -> list[ClaimedDelivery]:
        """Gives back digests in which something must not be sent any more: they are put together anew."""
        changed = digest_words.changed(session, {row.message_id for row in rows})
        claims.release(session, [row for row in rows if row.message_id in changed], timedelta(0))
        return [row for row in rows if row.message_id not in changed]

    def _cut_off(
        self, session: Session, rows: Sequence[ClaimedDelivery], contents: Mapping[int, MessageContent]
    ) -> set[Key]:
        """Finds the mails of answers whose readers may not read what is answered. A text does not show that, so none is
        looked for there."""
        found: set[Key] = set()
        threads = {row.message_id for row in rows if contents[row.message_id].parents} if self._channel == EMAIL else ()
        for message in threads:
            to = [row.address_id for row in rows if row.message_id == message]
            apart = visibility.find_cut_off(session, contents[message].parents, to)
            found |= {(message, address) for address in apart}
        return found

    def _content_of(self, session: Session, message_ids: set[int]) -> dict[int, MessageContent]:
        """Returns the content of messages, kept between claims. Answers are read anew for every claim: what they answer
        may have been taken back."""
        missing = {one for one in message_ids if one not in self._contents or self._contents[one].parents}
        found = claims.contents(session, missing) if missing else {}
        wanted = {one: found[one] if one in found else self._contents[one] for one in message_ids}
        self._contents.update(found)
        while len(self._contents) > KEPT:
            self._contents.popitem(last=False)
        return wanted

    def settle(self, landed: Sequence[tuple[OutboundItem[Parcel], Outcome]]) -> bool:
        """Writes how items ended, and what that says about their addresses. What a pause kept back returns to the
        queue. Returns whether other rows may be due by that."""
        freed = self._settle_usual(landed)
        if freed is None:
            self._settle_any(landed)
        if parts := sum(
            load.segments or 0 for load, outcome in landed if outcome.state == "sent" and not outcome.pause
        ):
            counters.add("segments", amount=parts)
        return freed is not False

    def _settle_usual(self, landed: Sequence[tuple[OutboundItem[Parcel], Outcome]]) -> bool | None:
        if self._usual is None or any(outcome.pause for _, outcome in landed):
            return None
        rows = [settlement(self._channel, load.claimed, outcome, load.segments, self._look) for load, outcome in landed]
        digests = self._digests & {one.claimed.message_id for one in rows}
        return None if digests else self._usual.settle(rows)

    def _settle_any(self, landed: Sequence[tuple[OutboundItem[Parcel], Outcome]]) -> None:
        paused = [load.claimed for load, outcome in landed if outcome.pause]
        ended = [(load, outcome) for load, outcome in landed if not outcome.pause]
        rows = [settlement(self._channel, load.claimed, outcome, load.segments, self._look) for load, outcome in ended]
        with transaction(self._context.engine) as session:
            claims.release(session, paused, PAUSED)
            settlements.settle(session, rows)
            self._follow(session, {row.claimed.message_id for row in rows})
            stayed = [one.claimed.attempt_id for one, outcome in landed if outcome.pause or outcome.state in STAYED]
            if self._channel == SMS:
                address_effects.of_refusals(session, [(load.claimed, outcome) for load, outcome in ended])
            if self._channel == PUSH:
                device_effects.of_answers(session, [(load.claimed, outcome) for load, outcome in ended])
            self._uncount(session, stayed)

    def _follow(self, session: Session, messages: AbstractSet[int]) -> None:
        """The items of the digests among these messages end with them."""
        if digests := self._digests & messages:
            digest_items.follow(session, digests)
            self._digests -= digests

    def decide(self, loads: Sequence[OutboundItem[Parcel]]) -> frozenset[int]:
        """Decides again about rows that the carrier had in hand for too long; returns the attempts that may still
        leave. The others end here; rows that another worker has taken over meanwhile are left alone."""
        with transaction(self._context.engine) as session:
            if not self._origin.senders(session):
                self._release(session, [load.claimed for load in loads], PAUSED)
                return frozenset()
            ours = claims.keep(session, [load.claimed for load in loads], self._context.owner, self._lease)
            still, limits = delivery_decisions.keep_allowed(session, ours)
            allowed = {one.attempt_id for one in self._unchanged(session, still)}
            self._uncount(session, [one.attempt_id for one in ours if one.attempt_id not in allowed])
            left = [load for load in loads if load.claimed.attempt_id in allowed]
            if not self._priced:
                return frozenset(allowed)
            contents = self._content_of(session, _messages(left))
            bought = budget_reservation.reserve_again(session, self._context.settings, left, contents, limits)
        budget_reservation.tell(bought.taken)
        return frozenset(load.claimed.attempt_id for load in bought.loads)

    def release(self, rows: Sequence[ClaimedDelivery], wait: timedelta) -> None:
        with transaction(self._context.engine) as session:
            self._release(session, rows, wait)

    def _release(self, session: Session, rows: Sequence[ClaimedDelivery], wait: timedelta) -> None:
        claims.release(session, rows, wait)
        self._uncount(session, [one.attempt_id for one in rows])

    def _uncount(self, session: Session, attempts: Sequence[int]) -> None:
        """Gives back what these attempts reserved: they surely did not leave, so they cost nothing and do not count
        among the mails of the day."""
        if self._priced:
            charges.refund(session, attempts)
        if self._day:
            self._day.give_back(session, attempts)

    def renew(self) -> None:
        with transaction(self._context.engine) as session:
            claims.renew(session, self._context.owner, self._lease)

    def pause(self, outcome: Outcome) -> None:
        with transaction(self._context.engine) as session:
            self._origin.pause(session, outcome)


PAUSED: Final = timedelta(seconds=60)
STAYED: Final = ("retry", "failed")  # states in which the carrier did not take it: it costs nothing


def _with_call_words(
    session: Session, rows: Sequence[ClaimedDelivery], contents: Mapping[int, MessageContent]
) -> list[ClaimedDelivery]:
    """Says around the words of calls what they are and how to answer, to each reader in their language."""
    keys = [row.key for row in rows if contents[row.message_id].call]
    words = call_words.find(session, keys) if keys else {}
    return [row._replace(**words[row.key]._asdict()) if row.key in words else row for row in rows]


def _messages(loads: Sequence[OutboundItem[Parcel]]) -> set[int]:
    return {load.claimed.message_id for load in loads}
