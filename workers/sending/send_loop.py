"""The send loop: due rows are claimed, sent at the sender's pace and settled as their outcomes arrive.

workers/deliver keeps one for mail, workers/sending/number_pool one for each number. Database work runs in two threads
beside the event loop: the next rows are claimed, decided and rendered while the last ones are sent. What was not handed
over within a second after it was decided goes back to the queue; what the carrier has not begun by then is decided
again just before it leaves (workers/sending/send_decisions). So an opt-out never takes longer than that (I7).
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar

import structlog
from sqlalchemy.exc import OperationalError

from gateway.carriers.common.protocol import Carrier, Outcome
from gateway.carriers.common.send_gate import HasAttempt
from gateway.failpoints import crash_point
from gateway.ledger.outbox.claims import ClaimedDelivery
from workers.sending.pacing import Pacer
from workers.sending.send_decisions import FRESH, Decisions

log = structlog.get_logger()


Parcel = TypeVar("Parcel", bound=HasAttempt)
Result = TypeVar("Result")

AHEAD: Final = 0.4  # seconds for which a batch lasts at the sender's rate
LEAD: Final = 0.15  # seconds before its first slot that a batch is claimed at the earliest
LOOK: Final = 0.05  # seconds after which new rows are looked for while others are still on their way
SUSPECTS: Final = 0.5  # seconds between two looks for rows that must go alone
FLUSH: Final = 200  # outcomes that are settled at once; fewer when nothing else is on its way
FLUSH_AFTER: Final = 0.02  # seconds that an outcome waits for others to be settled with
PAUSE: Final = 60.0  # seconds without a try after the carrier refused our own credentials
PATIENCE: Final = 30.0  # seconds that outcomes wait for a database that is away
LEAST: Final = 16  # of the parcels that waited too long, half are decided again at once, but at least so many
FAREWELL: Final = 18.0  # seconds for what is on its way when the process is told to end


@dataclass(frozen=True, slots=True)
class OutboundItem(Generic[Parcel]):
    """A row that may leave, and the parcel that leaves. Parcels are identified by their attempt."""

    claimed: ClaimedDelivery
    parcel: Parcel
    segments: int | None = None  # of a text
    digest: bytes = b""  # the hash of a text's words (gateway/sms/body_hash)


@dataclass(frozen=True, slots=True)
class Batch(Generic[Parcel]):
    """Rows claimed together, and when they were decided (monotonic). `claimed` also counts those that must not
    leave; `full`: there may be more that are due."""

    loads: Sequence[OutboundItem[Parcel]]
    claimed: int
    decided_at: float
    full: bool = True


@dataclass(frozen=True, slots=True)
class DeliveryPort(Generic[Parcel]):
    """The database side of a send loop; each function is one short transaction, called in a thread."""

    claim: Callable[[int, bool], Batch[Parcel]]  # (limit, suspects): a suspect is claimed alone
    settle: Callable[[Sequence[tuple[OutboundItem[Parcel], Outcome]]], bool]  # whether others may be due by that
    decide: Callable[[Sequence[OutboundItem[Parcel]]], frozenset[int]]  # again: the attempts that may still leave
    release: Callable[[Sequence[ClaimedDelivery], timedelta], None]
    renew: Callable[[], None]
    pause: Callable[[Outcome], None]  # for every process: the carrier refuses us


class SendLoop(Generic[Parcel]):
    """Keeps its pace, and a pause that the carrier asked for, from one drain to the next.

    `limit`: rows in a claim; `together`: parcels handed to the carrier at once; `width`: parcels on their way at a
    time, at most. That number begins with `narrow`, grows while the carrier is quick, and shrinks when parcels wait for
    their turn: what cannot begin within a second stays in the queue, where an `undo` finds it.
    """

    def __init__(
        self,
        carrier: Carrier[Parcel],
        ledger: DeliveryPort[Parcel],
        stopping: Callable[[], bool],
        *,
        pacer: Pacer,
        limit: int,
        together: int,
        width: int,
        lease: float,
        narrow: int | None = None,
    ) -> None:
        self._carrier: Carrier[Parcel] = carrier
        self._ledger: DeliveryPort[Parcel] = ledger
        self._stopping = stopping
        self._pacer, self._width, self._lease = pacer, width, lease
        self._limit = self._most = limit if pacer.rate is None else max(1, min(limit, int(pacer.rate * AHEAD)))
        self._together = pacer.together if pacer.rate else together
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="send-loop")
        self._paused_until = 0.0
        self._room = narrow or width  # parcels that may be on their way at a time, just now
        self._flying: dict[int, OutboundItem[Parcel]] = {}
        self._decisions = Decisions(self._decide_again)
        self._landed: list[tuple[OutboundItem[Parcel], Outcome]] = []
        self._sends: set[asyncio.Task[None]] = set()
        self._ahead: asyncio.Task[Batch[Parcel]] | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._pausing: asyncio.Task[None] | None = None
        self._stirred, self._settled_some = asyncio.Event(), asyncio.Event()
        self._slots = 0  # booked but unused slots: what was to use them had been decided too long before
        self._looked_at = float("-inf")
        self._written = self._seen = 0  # how often rows may have become due: by now, and before the last claim

    async def drain(self, seconds: float) -> bool:
        """Works until nothing is due, `seconds` at most; returns True when there may be more."""
        renewal = asyncio.create_task(self._renew())
        try:
            return await self._work(time.monotonic() + seconds)
        except OperationalError as problem:
            log.warning("database is away", problem=type(problem.orig).__name__)
            return True
        finally:
            self._pacer.forget()
            self._slots = 0
            await self._clear()
            renewal.cancel()

    async def _work(self, end: float) -> bool:
        """Claims and sends until nothing is due. Rows that were on their way when a worker was lost (suspects) come
        last, each alone."""
        suspects = over = False
        while not self._stopping() and not self._paused():
            batch = await self._next(suspects)
            if batch.claimed and not suspects:
                over = time.monotonic() >= end
                if batch.claimed >= self._limit and self._room == self._width and not over:
                    self._ahead = asyncio.create_task(self._claim(suspects=False, after=len(batch.loads)))
                await self._send(batch)
                suspects = over  # suspects get their turn in the end, however much else there is
                if not suspects and self._ahead is None:
                    suspects = await self._idle()
                    if not suspects and not batch.full and self._nothing_new():
                        return False
                continue
            if batch.claimed:
                await self._send(batch)
                await self._settle_all()
                self._looked_at = float("-inf")
            if over:
                return True
            suspects = not suspects and await self._idle()
            if not suspects and self._nothing_new():
                return False
        return not self._paused()

    async def _idle(self) -> bool:
        """Waits for a lane to become free, LOOK seconds at most; returns True when nothing is on its way and it is time
        to look for suspects."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK):
                while self._written == self._seen and (self._sends or self._flushing):
                    self._settled_some.clear()
                    await self._settled_some.wait()
        if not self._nothing_new() or time.monotonic() - self._looked_at < SUSPECTS:
            return False
        self._looked_at = time.monotonic()
        return True

    def _nothing_new(self) -> bool:
        """Tells whether the last claim saw all that is due by now: nothing has become free since."""
        return not self._sends and not self._flushing and self._written == self._seen

    async def _next(self, suspects: bool) -> Batch[Parcel]:
        ahead, self._ahead = self._ahead, None
        if suspects and ahead is None:
            await self._settle_all()
        return await (ahead or self._claim(suspects))

    async def _claim(self, suspects: bool, after: int = 0) -> Batch[Parcel]:
        """Claims late, so that urgent rows can still be included. `after`: how many texts leave before these."""
        if not self._slots and (early := self._pacer.ahead() + after * self._pacer.interval - LEAD) > 0:
            await asyncio.sleep(early)
        await self._room_for(1)
        self._seen = self._written
        limit = self._limit if self._room == self._width else min(self._limit, self._room - len(self._flying))
        return await self._thread(lambda: self._ledger.claim(1 if suspects else limit, suspects))

    async def _send(self, batch: Batch[Parcel]) -> None:
        loads, begin = batch.loads, 0
        while begin < len(loads):
            some = loads[begin : begin + min(self._together, self._room)]
            await self._room_for(len(some))
            paced = self._slots >= len(some) or await self._pacer.slot(len(some), len(loads) - begin)
            self._slots = 0
            stale = time.monotonic() - batch.decided_at > FRESH
            if not paced or stale or self._stopping() or self._paused():
                self._limit = max(self._together, begin)  # as many as were handed over in time
                self._slots = len(some) if paced and self._pacer.keeps else 0
                await self._give_back(loads[begin:])
                return
            self._begin(some, batch.decided_at)
            begin += len(some)
        self._limit = min(self._most, self._limit * 2)

    def _begin(self, loads: Sequence[OutboundItem[Parcel]], decided_at: float) -> None:
        self._flying.update((load.claimed.attempt_id, load) for load in loads)
        self._decisions.note([load.claimed.attempt_id for load in loads], decided_at)
        task = asyncio.create_task(self._hand_over(loads))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def _hand_over(self, loads: Sequence[OutboundItem[Parcel]]) -> None:
        crash_point("about to send")
        try:
            await self._carrier.send([load.parcel for load in loads], self._settled, self._decisions)
        except Exception:
            log.exception("carrier failed", channel=self._carrier.channel)
        for load in loads:  # an item without an outcome may have left
            if load.claimed.attempt_id in self._flying:
                self._settled(load.parcel, Outcome("unknown", reason="carrier failed"))

    def _settled(self, parcel: Parcel, outcome: Outcome) -> None:
        load = self._flying.pop(parcel.attempt, None)
        if load is None:
            return
        fresh_until = self._decisions.forget(parcel.attempt)
        if self._room < self._width and time.monotonic() <= fresh_until:
            self._room += 1
        if outcome.pause:
            self._pause(outcome)
        crash_point("answered by the carrier")
        self._landed.append((load, outcome))
        self._stirred.set()
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())

    async def _decide_again(self, attempts: Sequence[int]) -> frozenset[int]:
        """Decides again about items that the carrier had in hand for too long. Those that it would not begin soon are
        given back; the others leave unless something has changed. Without an answer from the database none leaves:
        their leases run out instead."""
        loads = [self._flying[attempt] for attempt in attempts if attempt in self._flying]
        most = max(LEAST, len(loads) // 2)
        end = time.monotonic() + PATIENCE
        allowed: frozenset[int] = frozenset()
        while time.monotonic() < end:
            decided_at = time.monotonic()
            try:
                allowed = await self._thread(lambda: self._ledger.decide(loads[:most]))
                self._decisions.note(allowed & self._flying.keys(), decided_at)
                await self._give_back(loads[most:])
                break
            except OperationalError as problem:
                log.warning("cannot decide again", rows=len(loads), problem=type(problem.orig).__name__)
                await asyncio.sleep(0.2)
        self._leave_out([load for load in loads if load.claimed.attempt_id not in allowed])
        if loads[most:]:
            self._room = max(1, min(self._room, len(self._flying)))
        return allowed

    def _leave_out(self, loads: Sequence[OutboundItem[Parcel]]) -> None:
        """Removes items that the carrier will not send and gives no outcome for."""
        for load in loads:
            self._flying.pop(load.claimed.attempt_id, None)
            self._decisions.forget(load.claimed.attempt_id)
        self._written += 1  # their rows have moved: another claim may find something
        self._settled_some.set()
        self._stirred.set()

    async def _flush(self) -> None:
        """Settles the outcomes that have arrived, until no more are left."""
        try:
            while self._landed:
                if self._flying and len(self._landed) < FLUSH:
                    await asyncio.sleep(FLUSH_AFTER)
                landed, self._landed = self._landed, []
                await self._write(landed)
        finally:
            self._flushing = None
            self._stirred.set()

    async def _write(self, landed: list[tuple[OutboundItem[Parcel], Outcome]]) -> None:
        """Writes outcomes, and waits while the database is away: without its outcome a text is in doubt. After PATIENCE
        the leases run out instead."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self._written += await self._thread(lambda: self._ledger.settle(landed))
                self._settled_some.set()
                return
            except OperationalError as problem:
                if time.monotonic() > end:
                    log.error("outcomes were lost", rows=len(landed), problem=type(problem.orig).__name__)
                    return
                await asyncio.sleep(0.2)

    async def _give_back(self, loads: Sequence[OutboundItem[Parcel]]) -> None:
        wait = timedelta(seconds=max(0.0, self._paused_until - time.monotonic()))
        if loads:
            await self._thread(lambda: self._ledger.release([load.claimed for load in loads], wait))
            self._written += 1  # they are due again

    async def _room_for(self, count: int) -> None:
        while self._flying and len(self._flying) + count > self._room:
            self._stirred.clear()
            await self._stirred.wait()

    async def _settle_all(self) -> None:
        while self._sends:
            await asyncio.wait(self._sends)
        for task in (self._flushing, self._pausing):
            if task is not None:
                await task

    async def _clear(self) -> None:
        """Waits until nothing is on its way, for FAREWELL seconds at most when the process ends; what is left then is
        up to the leases."""
        try:
            async with asyncio.timeout(FAREWELL if self._stopping() else None):
                if self._ahead is not None:
                    ahead, self._ahead = self._ahead, None
                    await self._give_back((await ahead).loads)
                await self._settle_all()
        except (TimeoutError, OperationalError) as problem:
            log.warning("left to their leases", rows=len(self._flying), problem=type(problem).__name__)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                await self._thread(self._ledger.renew)
            except OperationalError as problem:
                log.warning("leases were not renewed", problem=type(problem.orig).__name__)

    def _paused(self) -> bool:
        return time.monotonic() < self._paused_until

    def _pause(self, outcome: Outcome) -> None:
        if self._paused():
            return
        self._paused_until = time.monotonic() + PAUSE
        log.error("carrier refuses us: paused", channel=self._carrier.channel, reason=outcome.reason)
        self._pausing = asyncio.create_task(self._tell_others(outcome))

    async def _tell_others(self, outcome: Outcome) -> None:
        try:
            await self._thread(lambda: self._ledger.pause(outcome))
        except OperationalError as problem:
            log.warning("nobody else was told of the pause", problem=type(problem.orig).__name__)

    async def _thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
