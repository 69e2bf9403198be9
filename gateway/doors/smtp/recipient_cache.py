"""Which handles and secret addresses exist, asked of the database off the loop and remembered for a moment; the mail
door asks at RCPT."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from gateway.network.mail import secret_addresses
from gateway.network.people import accounts
from gateway.store.database import transaction

MOMENT = 2.0  # seconds: a new group can be written to that soon
MOST = 10_000  # answers kept; whoever tries names must not fill the memory
THREADS = 2
POSTING = "posting "  # what stands before one


class RecipientCache:
    """Belongs to one loop. Those who ask for the same handle at once share one question."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="known")
        self._asked: dict[str, tuple[float, asyncio.Future[bool]]] = {}

    async def has(self, handle: str) -> bool:
        """Raises what the database raises; that is not remembered."""
        loop = asyncio.get_running_loop()
        until, answer = self._asked.get(handle, (0.0, None))
        if answer is None or until < loop.time():
            answer = self._ask(loop, handle)
        try:
            return await asyncio.shield(answer)
        except Exception:
            self._asked.pop(handle, None)
            raise

    def remembers(self, handle: str) -> bool:
        """Whether it is known without asking that this handle exists."""
        until, answer = self._asked.get(handle, (0.0, None))
        if answer is None or not answer.done() or answer.cancelled() or until < asyncio.get_running_loop().time():
            return False
        return answer.exception() is None and answer.result()

    async def has_secret(self, secret: str) -> bool:
        """Whether that is somebody's posting address. They share the memory with handles, which have no blanks."""
        return await self.has(f"{POSTING}{secret}")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, loop: asyncio.AbstractEventLoop, handle: str) -> "asyncio.Future[bool]":
        if len(self._asked) >= MOST:
            self._asked.clear()
        answer = loop.run_in_executor(self._threads, self._look_up, handle)
        self._asked[handle] = (loop.time() + MOMENT, answer)
        return answer

    def _look_up(self, handle: str) -> bool:
        with transaction(self._engine) as session:
            if handle.startswith(POSTING):
                return secret_addresses.owner(session, handle.removeprefix(POSTING)) is not None
            return accounts.by_handle(session, handle) is not None
