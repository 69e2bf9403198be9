"""Embedded PostgreSQL and Redis in a state folder, as child processes; for `critter up` and the tests."""

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

from critter.servers import account, folders
from critter.servers.postgres import Postgres
from critter.servers.redis import Redis
from gateway.settings import embedded

Server = Postgres | Redis


class Servers:
    """Claims the state folder and runs the servers that are wanted until the block ends, however it ends.

    unsafe trades durability for speed; only tests may lose their data.
    """

    def __init__(self, var: Path, *, postgres: bool = True, redis: bool = True, unsafe: bool = False) -> None:
        self.var = var.absolute()
        self._wanted = (postgres, redis)
        self._unsafe = unsafe
        self._held = contextlib.ExitStack()
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None

    @property
    def database_url(self) -> str:
        return embedded.database_url(self.var)

    @property
    def owner_url(self) -> str:
        """The same database, with the role that owns its tables."""
        return embedded.database_url(self.var, role=embedded.OWNER)

    @property
    def redis_url(self) -> str:
        return embedded.redis_url(self.var)

    @property
    def running(self) -> list[Server]:
        return [server for server in (self.postgres, self.redis) if server is not None]

    def __enter__(self) -> Self:
        with self._held:  # closed again when anything below fails
            self._held.enter_context(folders.claim(self.var))
            if any(self._wanted):
                self._start()
            self._held = self._held.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._held.close()

    def _start(self) -> None:
        """Starts both at once: PostgreSQL needs most of the time, Redis starts beside it."""
        serving = account.serving(self.var)
        self._held.callback(self._remove_sockets, folders.private(embedded.socket_folder(self.var), serving))
        if self._wanted[1]:
            self.redis = Redis(self.var, serving)
            self._held.callback(self.redis.stop)
            self.redis.start()
        if self._wanted[0]:
            self.postgres = Postgres(self.var, serving, self._unsafe)
            self._held.callback(self.postgres.stop)
            self.postgres.prepare()
            self.postgres.start()
        for server in self.running:
            server.wait_ready()

    def _remove_sockets(self, folder: Path) -> None:
        """Removes a socket folder in /tmp, which must not stay behind; one in the state folder may."""
        if folder.parent != self.var:
            with contextlib.suppress(OSError):
                folder.rmdir()
