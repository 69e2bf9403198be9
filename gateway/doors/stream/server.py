"""GET /stream: server-sent events (WHATWG HTML 9.2) for the pages of one person. critter/processes/stream serves it.

Each second one statement asks what is new for everybody who listens. A page that comes back gives the last id that it
got (Last-Event-ID), and hears of what came since; ids make a second telling harmless."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway.doors.stream.subscribers import Subscriber, Subscribers
from gateway.doors.web.visits.cookies import session_name
from gateway.network.feeds import news
from gateway.network.feeds.news import News
from gateway.network.web import web_sessions
from gateway.settings import Settings
from gateway.store.database import transaction

LOOK: Final = 1.0  # seconds between two looks for what is new
ALIVE: Final = 15.0  # seconds after which a silent stream says that it lives; proxies close silent ones after a minute
CHECK: Final = 30.0  # seconds between two looks whether the sessions still are
LONGEST_ABSENCE: Final = 3_600_000 << 16  # of a page that comes back: an hour, as ids count time
Result = TypeVar("Result")

log = logging.getLogger(__name__)


class StreamServer:
    """One per process."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        self._subscribers = Subscribers()
        self._since = 0

    def application(self) -> web.Application:
        app = web.Application(client_max_size=1024)
        app.router.add_get("/stream", self._stream)
        app.router.add_get("/healthz", _healthz)
        app.cleanup_ctx.append(self._background)
        return app

    async def _background(self, app: web.Application) -> Any:
        turns = ((self._look, LOOK), (self._check, CHECK))
        tasks = [asyncio.create_task(self._repeat(*turn)) for turn in turns]
        yield
        for task in tasks:
            task.cancel()
        for one in self._subscribers:
            one.close()

    async def _repeat(self, task: Callable[[], Any], seconds: float) -> None:
        """A database that is away delays the news, and ends nothing."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await task()
            except SQLAlchemyError as problem:
                log.warning("no news now: %s", type(problem).__name__)

    async def _look(self) -> None:
        accounts, since = self._subscribers.accounts(), self._since
        if not accounts or not since:
            self._since = await self._ask(news.newest)
            return
        upto, found = await self._ask(lambda session: (news.newest(session), self._find(session, accounts, since)))
        self._subscribers.tell(found)
        self._since = upto

    async def _check(self) -> None:
        """Closes the streams of sessions that have ended: who signs out, is suspended or leaves hears no more."""
        pages = list(self._subscribers)
        alive = await self._ask(lambda session: web_sessions.in_force(session, {page.token for page in pages}))
        for page in pages:
            if page.token not in alive:
                page.close()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if not self._is_ours(request):
            raise web.HTTPForbidden
        token = request.cookies.get(session_name(self._settings), "")
        account_id = await self._ask(lambda session: web_sessions.account_of(session, token)) if token else None
        if account_id is None:
            raise web.HTTPUnauthorized
        answer = web.StreamResponse(headers=self._headers())
        await answer.prepare(request)
        page = Subscriber(account_id, token)
        self._subscribers.add(page)
        try:
            page.offer(await self._missed(request, account_id))
            await self._send(answer, page)
        except ConnectionError:
            log.debug("a page was closed")
        finally:
            self._subscribers.remove(page)
        return answer

    async def _missed(self, request: web.Request, account_id: int) -> Sequence[News]:
        """What came while the page was away."""
        last = request.headers.get("Last-Event-ID") or request.query.get("since", "")
        if not (last.isascii() and last.isdecimal() and len(last) < 20):
            return ()
        since = max(int(last), self._since - LONGEST_ABSENCE)
        return await self._ask(lambda session: self._find(session, [account_id], since))

    def _find(self, session: Session, accounts: Sequence[int], since: int) -> Sequence[News]:
        return news.find(session, accounts, since, self._settings.hold_seconds)

    async def _send(self, answer: web.StreamResponse, page: Subscriber) -> None:
        await answer.write(b"retry: 2000\nevent: open\ndata: {}\n\n")
        while True:
            try:
                fresh = await asyncio.wait_for(page.events.get(), ALIVE)
            except TimeoutError:
                await answer.write(b": alive\n\n")
                continue
            if fresh is None:
                return
            await answer.write(_event(fresh))

    def _is_ours(self, request: web.Request) -> bool:
        """No other site's page may listen with the cookie of this browser."""
        origin = request.headers.get("Origin")
        return origin is None or origin == _origin(self._settings.public_url)

    def _headers(self) -> dict[str, str]:
        return {
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "Access-Control-Allow-Origin": _origin(self._settings.public_url),
            "Access-Control-Allow-Credentials": "true",
        }

    async def _ask(self, question: Callable[[Session], Result]) -> Result:
        return await asyncio.to_thread(self._within, question)

    def _within(self, question: Callable[[Session], Result]) -> Result:
        with transaction(self._engine) as session:
            return question(session)


def _event(fresh: Sequence[News]) -> bytes:
    """A page that comes back tells the last id that it got: one of something new, for what changes may be old."""
    places: dict[str, list[str]] = {}
    for one in fresh:
        places.setdefault(one.place, []).append(str(one.post_id))
    last = max((one.post_id for one in fresh if not one.version), default=0)
    number = f"id: {last}\n" if last else ""
    return f"{number}event: news\ndata: {json.dumps(places)}\n\n".encode()


def _origin(url: str) -> str:
    place = urlsplit(url)
    return f"{place.scheme}://{place.netloc}"


async def _healthz(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
