"""The send gate of a send loop: it knows when each parcel was decided, and decides again about those that waited too
long.

Questions of the same moment are answered together: a carrier that stood still for two seconds causes one query.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Final

from gateway.carriers.common.send_gate import HasAttempt

FRESH: Final = 0.9  # seconds that a decision to send is valid; the rest of the second is for the request to leave
NEVER: Final = float("-inf")

Again = Callable[[Sequence[int]], Awaitable[Collection[int]]]  # attempts → the attempts that may leave


class Decisions:
    """It belongs to one send loop and its event loop. An attempt that it does not know may not leave."""

    def __init__(self, again: Again) -> None:
        self._again = again
        self._fresh_until: dict[int, float] = {}
        self._questions: list[tuple[Sequence[HasAttempt], asyncio.Future[frozenset[int]]]] = []
        self._asking: asyncio.Task[None] | None = None

    def note(self, attempts: Iterable[int], decided_at: float) -> None:
        """Notes that these attempts may leave, as was decided at `decided_at` (monotonic)."""
        self._fresh_until.update(dict.fromkeys(attempts, decided_at + FRESH))

    def forget(self, attempt: int) -> float:
        """Forgets an attempt; returns until when its decision was valid (monotonic), NEVER if it is not known."""
        return self._fresh_until.pop(attempt, NEVER)

    def fresh(self, parcel: HasAttempt) -> bool:
        return time.monotonic() <= self._fresh_until.get(parcel.attempt, NEVER)

    async def ask(self, parcels: Sequence[HasAttempt]) -> frozenset[int]:
        answer: asyncio.Future[frozenset[int]] = asyncio.get_running_loop().create_future()
        self._questions.append((parcels, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._answer())
        return await answer

    async def _answer(self) -> None:
        try:
            while self._questions:
                await asyncio.sleep(0)  # lets tasks that wake up in the same moment ask too
                questions, self._questions = self._questions, []
                await self._answer_all(questions)
        finally:
            self._asking = None

    async def _answer_all(
        self, questions: Sequence[tuple[Sequence[HasAttempt], asyncio.Future[frozenset[int]]]]
    ) -> None:
        """Answers all questions with one query. An attempt that was decided again meanwhile is fresh, and may have
        begun: it is not asked about twice."""
        asked = {one.attempt: one for parcels, _ in questions for one in parcels if one.attempt in self._fresh_until}
        stale = [attempt for attempt, one in asked.items() if not self.fresh(one)]
        try:
            allowed = (asked.keys() - stale) | set(await self._again(stale)) if stale else asked.keys()
        except Exception as problem:  # noqa: BLE001  # a bug: whoever asked raises it
            for _, answer in questions:
                if not answer.done():
                    answer.set_exception(problem)
            return
        for parcels, answer in questions:
            if not answer.done():
                answer.set_result(frozenset(one.attempt for one in parcels if one.attempt in allowed))
