"""gunicorn within our own process: one worker with threads, started again when it dies. critter/processes/app.py runs
it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from critter.processes import fd_limits
from critter.processes.gunicorn_worker import WebWorker

THREADS = 16
CONNECTIONS = 1000
KEEP_ALIVE = 75  # seconds; carriers and proxies reuse their connections
GRACE = 20  # seconds for requests in progress at SIGTERM
IN_MEMORY = Path("/dev/shm")  # noqa: S108  gunicorn's heartbeat file must not wait for a disk


class RootLogger(Logger):  # type: ignore[misc]
    """gunicorn's own messages go where everything else is logged."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class WebServer(BaseApplication):  # type: ignore[misc]
    """`load` makes the application in the worker, after the fork; `done` is called there when the worker ends."""

    def __init__(self, listen: tuple[str, int], load: Callable[[], Flask], done: Callable[[], object]) -> None:
        self._listen = listen
        self._load = load
        self._done = done
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options().items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._load()

    def _options(self) -> dict[str, Any]:
        host, port = self._listen
        return {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "worker_class": WebWorker,
            "workers": 1,
            "threads": THREADS,
            "worker_connections": fd_limits.most_connections(CONNECTIONS),
            "keepalive": KEEP_ALIVE,
            "sendfile": False,  # the kernel would wait for a slow reader in our thread
            "graceful_timeout": GRACE,
            "control_socket_disable": True,
            "worker_tmp_dir": str(IN_MEMORY) if os.access(IN_MEMORY, os.W_OK) else None,
            "logger_class": RootLogger,
            "loglevel": "warning",
            "worker_exit": lambda _arbiter, _worker: self._done(),
        }
