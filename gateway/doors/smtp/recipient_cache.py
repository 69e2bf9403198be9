"""The recipient cache: which handles and secret addresses exist. It asks the database outside of the event loop and
remembers the answer for MOMENT seconds; the mail door uses it at RCPT."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from gateway.network.mail import secret_addresses
from gateway.network.people import accounts
from gateway.store.database import transaction

MOMENT = 2.0  # seconds that an answer is kept, after which a new group can be written to
MOST = 10_000  # answers kept; a client that tries many names must not fill the memory
THREADS = 2
POSTING = "posting "  # the prefix of a secret address in the cache's keys


class RecipientCache:
    """It belongs to one loop. Callers that ask for the same handle at the same time share one query."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="known")
        self._asked: dict[str, tuple[float, asyncio.Future[bool]]] = {}

    async def has(self, handle: str) -> bool:
        """Tells whether a handle exists. Raises what the database raises; an error is not remembered."""
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
        """Tells whether the cache knows, without a query, that this handle exists."""
        until, answer = self._asked.get(handle, (0.0, None))
        if answer is None or not answer.done() or answer.cancelled() or until < asyncio.get_running_loop().time():
            return False
        return answer.exception() is None and answer.result()

    async def has_secret(self, secret: str) -> bool:
        """Tells whether this is somebody's posting address. They share the cache with handles, which have no blanks."""
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
