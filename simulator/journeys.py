"""What becomes of an accepted text: sent, then delivered or not, with a status callback at each step."""

import asyncio
import heapq
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count

from simulator.events import Events
from simulator.faults import Faults
from simulator.hooks import Hooks
from simulator.ledger import Ledger, moment
from simulator.local import path_of
from simulator.messages import Message
from simulator.options import Options

TICK = 0.005  # texts due within it are processed together


@dataclass(frozen=True, slots=True)
class Step:
    """A status, how long after acceptance it is reached, and what the callback is told then."""

    after: float
    status: str
    tell: tuple[str, ...]


@dataclass(slots=True)
class Journey:
    message: Message
    steps: tuple[Step, ...]
    at: int = 0  # which step comes next


class Journeys:
    """One timer for all texts on their way, and a bounded pool that posts; the callbacks of a text never overtake each
    other."""

    def __init__(self, options: Options, faults: Faults, hooks: Hooks, ledger: Ledger, events: Events) -> None:
        self._options, self._faults, self._hooks = options, faults, hooks
        self._ledger, self._events = ledger, events
        self._due: list[tuple[float, int, Journey]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._posts: asyncio.Queue[Journey] = asyncio.Queue()
        self._pool: list[asyncio.Task[None]] = []
        self._usual = self._steps(("sent", "delivered"))

    def begin(self, message: Message) -> None:
        self._push(Journey(message, self._plan(message) if self._faults.on else self._usual))

    def clear(self) -> None:
        """Forgets every text on its way."""
        self._due.clear()
        while not self._posts.empty():
            self._posts.get_nowait()

    async def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        for task in self._pool:
            task.cancel()
        await asyncio.gather(*self._pool, return_exceptions=True)

    def _plan(self, message: Message) -> tuple[Step, ...]:
        """The usual steps, as changed by the fault switches."""
        who = (message.recipient, message.sender or "")
        statuses: tuple[str, ...] = ("sent", "delivered")
        if failure := self._faults.strike("status-failed", *who):
            message.error, end = failure.params["code"], failure.params["status"]
            statuses = ("sent", end) if end == "undelivered" else (end,)
        steps = self._steps(statuses)
        if self._faults.strike("callback-reverse", *who):
            steps = (*(replace(step, tell=()) for step in steps[:-1]), replace(steps[-1], tell=statuses[::-1]))
        if self._faults.strike("callback-double", *who):
            steps = tuple(replace(step, tell=step.tell * 2) for step in steps)
        return steps

    def _steps(self, statuses: tuple[str, ...]) -> tuple[Step, ...]:
        sent, end = self._options.sent_after, self._options.delivered_after
        return tuple(Step(sent if status == "sent" else end, status, (status,)) for status in statuses)

    def _push(self, journey: Journey) -> None:
        if journey.at == len(journey.steps):
            return
        due = journey.message.created + journey.steps[journey.at].after
        heapq.heappush(self._due, (due, next(self._order), journey))
        if self._timer is None or self._due[0][2] is journey:
            self._arm()

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if self._due:
            wait = max(TICK, self._due[0][0] - time.time())
            self._timer = asyncio.get_running_loop().call_later(wait, self._advance)

    def _advance(self) -> None:
        """Moves every text that is due one step on; at most a thousand at once, so that requests are served in
        between."""
        now = time.time()
        for _ in range(min(1000, len(self._due))):
            if self._due[0][0] > now:
                break
            self._step(heapq.heappop(self._due)[2], now)
        self._arm()

    def _step(self, journey: Journey, now: float) -> None:
        message, step = journey.message, journey.steps[journey.at]
        if message.status == "canceled":
            return
        if message.sender is None:
            message.sender = self._options.numbers[0]
        message.status, message.updated = step.status, now
        if step.status == "sent":
            message.sent = now
        self._events.tell("status", _status_event(message, now))
        if message.callback and self._options.callbacks and step.tell:
            self._post_later(journey)
        else:
            journey.at += 1
            self._push(journey)

    def _post_later(self, journey: Journey) -> None:
        self._posts.put_nowait(journey)
        if len(self._pool) < self._options.callback_connections and self._posts.qsize() > 0:
            self._pool.append(asyncio.create_task(self._keep_posting()))

    async def _keep_posting(self) -> None:
        while True:
            journey = await self._posts.get()
            for status in journey.steps[journey.at].tell:
                await self._tell(journey.message, status)
            journey.at += 1
            self._push(journey)

    async def _tell(self, message: Message, status: str) -> None:
        drop = self._faults.strike("callback-drop", message.recipient, message.sender or "")
        lost = drop is not None and drop.params["status"] in ("", status)
        url = message.callback or ""
        answer = None if lost else await self._hooks.post(url, _callback_params(self._options, message, status))
        self._ledger.write(
            time.time(),
            "callback",
            {
                "sid": message.sid,
                "recipient": message.recipient,
                "callback": path_of(url),
                "told": status,
                "status": answer.status if answer else None,
                "reason": answer.reason if answer else "dropped",
            },
        )


def _status_event(message: Message, now: float) -> dict[str, object]:
    ends = {"from": message.sender, "to": message.recipient}
    return {"sid": message.sid, **ends, "status": message.status, "error_code": message.error, "at": moment(now)}


def _callback_params(options: Options, message: Message, status: str) -> dict[str, str]:
    params = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageStatus": status,
        "SmsStatus": status,
        "To": message.recipient,
        "From": message.sender or "",
        "AccountSid": options.account_sid,
        "ApiVersion": "2010-04-01",
    }
    if message.service:
        params["MessagingServiceSid"] = message.service
    if status in ("delivered", "undelivered"):
        params["RawDlrDoneDate"] = datetime.now(UTC).strftime("%y%m%d%H%M")
    if status in ("undelivered", "failed") and message.error:
        params["ErrorCode"] = str(message.error)
    return params
