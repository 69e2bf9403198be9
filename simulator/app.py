"""Puts the simulator together and runs it: the web server and the mail sink on one loop."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass

import uvloop
from aiohttp import web

from simulator import control_routes, mailbox_routes, phone_routes, push_routes, twilio
from simulator.local import Address, netloc
from simulator.options import Options
from simulator.sink import LONGEST_MAIL, Session
from simulator.world import WORLD, World

BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Running:
    """A running simulator and its addresses: `listen` and `smtp_listen` have the real ports."""

    listen: Address
    smtp_listen: Address
    world: World
    _web: web.AppRunner
    _smtp: asyncio.Server
    _sessions: set[Session]

    @property
    def url(self) -> str:
        return f"http://{netloc(self.listen)}"

    async def close(self) -> None:
        self.world.events.close()
        self._smtp.close()
        for session in list(self._sessions):
            session.close()
        await self._web.cleanup()
        await self.world.close()


async def serve(options: Options) -> Running:
    """Starts in this event loop; returns when both ports are open. Raises OSError when one is taken."""
    world = World.make(options)
    sessions: set[Session] = set()
    try:
        smtp = await asyncio.get_running_loop().create_server(
            lambda: Session(world, sessions), *options.smtp_listen, backlog=BACKLOG
        )
        try:
            runner = await _serve_web(world)
        except OSError:
            smtp.close()
            raise
    except OSError:
        await world.close()
        raise
    return Running(_bound(runner.addresses[0]), _bound(smtp.sockets[0].getsockname()), world, runner, smtp, sessions)


async def _serve_web(world: World) -> web.AppRunner:
    app = web.Application(client_max_size=LONGEST_MAIL)
    app[WORLD] = world
    for part in (twilio, phone_routes, mailbox_routes, push_routes, control_routes):
        app.add_routes(part.routes())
    # Idle connections stay open for long: one that is closed just as a request comes would look like a lost answer.
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2, keepalive_timeout=3600)
    await runner.setup()
    try:
        await web.TCPSite(runner, *world.options.listen, backlog=BACKLOG).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


def _bound(name: tuple[str, int] | tuple[str, int, int, int]) -> Address:
    return name[0], name[1]


def run(options: Options, ready: Callable[[Running], None] | None = None) -> None:
    """Serves until SIGTERM or SIGINT; `ready` is called when both ports are open."""
    uvloop.run(_run(options, ready))


async def _run(options: Options, ready: Callable[[Running], None] | None) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    running = await serve(options)
    if ready:
        ready(running)
    await ended.wait()
    await running.close()
