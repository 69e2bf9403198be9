"""The one asyncio loop of a worker process, in a thread of its own; drains hand it their coroutines.

It keeps running while the worker waits to be woken, so that a connection which a carrier closes is noticed at once. And
a signal or a job's time limit reaches the main thread and not some callback.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

Result = TypeVar("Result")


class Loop:
    """It lives as long as the process; the carriers belong to it."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result], timeout: float | None = None) -> Result:
        """Returns the result of `work`; the calling thread waits for it. If that thread is interrupted, the work is
        cancelled."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except BaseException:  # a time limit or a signal: the work must not outlive its drain
            future.cancel()
            raise

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
