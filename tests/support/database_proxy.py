"""A TCP proxy between Critter and its database that tests can cut and mend."""

import socket
import threading
from contextlib import suppress
from pathlib import Path


class DatabaseProxy:
    """Listens on a port of loopback and passes bytes on to a PostgreSQL socket."""

    def __init__(self, server: Path) -> None:
        self._server = str(server)
        self._plug = socket.create_server(("127.0.0.1", 0))
        self.port = self._plug.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._ending = threading.Lock()
        self._start()

    def pull(self) -> None:
        """From now on connections are refused, and those there were are gone."""
        with suppress(OSError):
            self._plug.shutdown(socket.SHUT_RDWR)
        self._plug.close()
        self._thread.join()
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def plug_in(self) -> None:
        self._plug = socket.create_server(("127.0.0.1", self.port))
        self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near = self._plug.accept()[0]
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._server)
            self._open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                passed, cut = self._let_through(source, data)
                sink.sendall(passed)
                if cut:
                    break
        with self._ending:  # else one thread could shut down what has meanwhile got the number of its closed socket
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            source.close()
            self._open.discard(source)

    def _let_through(self, _source: socket.socket, data: bytes) -> tuple[bytes, bool]:
        """What of it passes, and whether the connection is cut then."""
        return data, False
