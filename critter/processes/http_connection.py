"""One HTTP connection as a thread of the web server sees it: a socket on which neither reading nor writing ever waits.

The request lies in memory whole. What the thread writes and the other side does not take at once is kept, and the
server's loop sends it on: a reader that is slow costs memory and no thread.
"""

import errno
import socket
import threading
from collections.abc import Callable
from typing import Final

MOST: Final = 16 * 1024 * 1024  # octets of one answer that nobody took yet
MOST_OF_ALL: Final = 64 * 1024 * 1024
CHUNK: Final = 256 * 1024  # octets for one send


class Backlog:
    """The octets of all answers that wait for their readers."""

    def __init__(self, most: int = MOST_OF_ALL) -> None:
        self._most = most
        self._lock = threading.Lock()
        self.octets = 0

    def add(self, octets: int) -> bool:
        """False when that would be too many."""
        with self._lock:
            if octets > 0 and self.octets + octets > self._most:
                return False
            self.octets += octets
            return True


class Exchange:
    """What gunicorn takes for the connection's socket. `left` is called, in the thread that writes, when something is
    left for the loop to send."""

    def __init__(self, sock: socket.socket, backlog: Backlog, left: Callable[[], None]) -> None:
        self.real = sock
        sock.setblocking(False)
        self._backlog, self._left = backlog, left
        self._lock = threading.Lock()
        self._request = b""
        self._unsent = bytearray()
        self._broken = False

    def give(self, request: bytes) -> None:
        """The next request, whole."""
        self._request = request

    @property
    def unsent(self) -> int:
        return len(self._unsent)

    # As gunicorn uses a socket

    def fileno(self) -> int:
        return self.real.fileno()

    def recv(self, size: int) -> bytes:
        """Nothing more is the end: no request is ever waited for here."""
        taken, self._request = self._request[:size], self._request[size:]
        return taken

    def sendall(self, data: bytes) -> None:
        with self._lock:
            if self._broken:
                raise BrokenPipeError(errno.EPIPE, "the other side has gone")
            view = memoryview(data)
            if not self._unsent:
                view = view[self._send(view) :]
            if self._broken:
                raise BrokenPipeError(errno.EPIPE, "the other side has gone")
            if not view:
                return
            if len(self._unsent) + len(view) > MOST or not self._backlog.add(len(view)):
                self._break()
                raise BrokenPipeError(errno.EPIPE, "the other side takes too little")
            self._unsent += view
        self._left()

    def send(self, data: bytes) -> int:
        """gunicorn's own word that a body may come; the loop has said that."""
        return len(data)

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""

    def settimeout(self, seconds: float | None) -> None:
        """It never waits."""

    def gettimeout(self) -> float | None:
        return None

    def shutdown(self, how: int) -> None:
        """The loop ends it, when all is sent."""

    def close(self) -> None:
        """The same."""

    # As the loop uses it

    def flush(self) -> int:
        """Sends on what it can; how many octets went."""
        with self._lock:
            sent = self._send(memoryview(bytes(self._unsent[:CHUNK])))
            del self._unsent[:sent]
        self._backlog.add(-sent)
        return sent

    def cut(self) -> None:
        """The end, whatever is still to be said."""
        with self._lock:
            self._break()
        self.real.close()

    @property
    def is_broken(self) -> bool:
        return self._broken

    def _send(self, data: memoryview) -> int:
        try:
            return self.real.send(data) if data else 0
        except BlockingIOError:
            return 0
        except OSError:
            self._break()
            return 0

    def _break(self) -> None:
        self._broken = True
        self._backlog.add(-len(self._unsent))
        self._unsent.clear()
