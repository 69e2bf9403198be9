"""A kept connection to Redis for one short command after another; the worker notifier wakes workers by it.

A command costs a quarter of what it costs through the client of redis-py, which takes a connection out of its pool,
observes it and puts it back for each. All the rest, such as passwords, TLS and time limits, is redis-py's.
"""

import threading
from typing import Any

from redis import ConnectionError as Lost
from redis import ConnectionPool


class RedisLink:
    """Any thread may use it. A command may be sent twice, when the connection was lost while nothing was asked."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._turn = threading.Lock()
        self._kept: Any = None  # redis-py types little of a connection
        self._packed: dict[tuple[str, ...], Any] = {}  # there are few different ones

    def ask(self, *command: str) -> Any:
        """Returns the answer; raises RedisError."""
        with self._turn:
            reused = self._kept is not None
            try:
                return self._ask(command)
            except Lost:
                if not reused:
                    raise
                return self._ask(command)

    def _ask(self, command: tuple[str, ...]) -> Any:
        connection: Any = self._kept or self._pool.get_connection()
        self._kept = None
        try:
            if command not in self._packed:
                self._packed[command] = connection.pack_command(*command)
            connection.send_packed_command(self._packed[command])
            answer = connection.read_response()
        except BaseException:
            connection.disconnect()
            self._pool.release(connection)
            raise
        self._kept = connection
        return answer
