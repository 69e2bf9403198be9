"""Serves the stream for open pages; critter/processes/registry starts it."""

import asyncio
import signal

import uvloop
from aiohttp import web

from critter.processes import logs
from gateway.doors.stream.server import StreamServer
from gateway.ledger.operations.heartbeat import Heartbeat, owner
from gateway.settings import Settings
from gateway.store.database import connect

GRACE = 2.0  # seconds for open streams at SIGTERM: a browser comes back by itself


def serve(settings: Settings) -> None:
    """Serves until SIGTERM."""
    logs.configure()
    engine = connect(settings.database_url, keys=settings.secret_keys)
    with Heartbeat(engine, "stream", owner("stream")), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, StreamServer(settings, engine)))
    engine.dispose()


async def _serve(settings: Settings, server: StreamServer) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    host, port = settings.stream_listen
    await web.TCPSite(runner, host, port).start()
    await stop.wait()
    await runner.cleanup()
