"""One HTTP connection as a thread of the web server sees it: a socket on which neither reading nor writing ever blocks.

The complete request is in memory. What the thread writes and the other side does not take at once is kept, and the
server's loop sends it later: a slow reader costs memory and no thread.
"""

import errno
import socket
import threading
from collections.abc import Callable
from typing import Final

MOST: Final = 16 * 1024 * 1024  # octets of one answer that may wait
MOST_OF_ALL: Final = 64 * 1024 * 1024
CHUNK: Final = 256 * 1024  # octets for one send


class Backlog:
    """The octets of all answers that wait for their readers."""

    def __init__(self, most: int = MOST_OF_ALL) -> None:
        self._most = most
        self._lock = threading.Lock()
        self.octets = 0

    def add(self, octets: int) -> bool:
        """Adds octets; False when that would be too many."""
        with self._lock:
            if octets > 0 and self.octets + octets > self._most:
                return False
            self.octets += octets
            return True


class Exchange:
    """Used by gunicorn as the connection's socket. `left` is called, in the thread that writes, when something is left
    for the loop to send."""

    def __init__(self, sock: socket.socket, backlog: Backlog, left: Callable[[], None]) -> None:
        self.real = sock
        sock.setblocking(False)
        self._backlog, self._left = backlog, left
        self._lock = threading.Lock()
        self._request = b""
        self._unsent = bytearray()
        self._broken = False

    def give(self, request: bytes) -> None:
        """Sets the next request, which is complete."""
        self._request = request

    @property
    def unsent(self) -> int:
        return len(self._unsent)

    # As gunicorn uses a socket

    def fileno(self) -> int:
        return self.real.fileno()

    def recv(self, size: int) -> bytes:
        """Returns nothing at the end: a request is never waited for here."""
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
        """gunicorn's own "100 Continue"; the loop has sent that already."""
        return len(data)

    def setblocking(self, flag: bool) -> None:
        """Ignored: it never blocks."""

    def settimeout(self, seconds: float | None) -> None:
        """Ignored: it never waits."""

    def gettimeout(self) -> float | None:
        return None

    def shutdown(self, how: int) -> None:
        """Ignored: the loop closes it, when all is sent."""

    def close(self) -> None:
        """Ignored for the same reason."""

    # As the loop uses it

    def flush(self) -> int:
        """Sends what it can; returns how many octets were sent."""
        with self._lock:
            sent = self._send(memoryview(bytes(self._unsent[:CHUNK])))
            del self._unsent[:sent]
        self._backlog.add(-sent)
        return sent

    def cut(self) -> None:
        """Closes the connection, whatever is still to be sent."""
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
