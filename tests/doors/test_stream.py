"""The stream on a real socket: who hears of what, what a page hears that was away, and who may listen."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from aiohttp import web as aiohttp_web
from flask import Flask
from sqlalchemy import Engine

from critter.processes import app as web
from gateway.doors.stream import server as stream_server
from gateway.doors.stream.server import StreamServer
from gateway.network.feeds import news
from gateway.network.follows import follows, mutes
from gateway.network.people import accounts
from gateway.network.web import web_sessions
from gateway.settings import Settings
from gateway.store.database import connect, transaction
from gateway.store.tables import Account
from tests.doors.web.conftest import PageCompany
from tests.support.ports import free_port


@dataclass
class Listener:
    """One open page; `heard`: (place, post) in their order; `ids`: of the events; `cut`: what ended it, if the server
    did not."""

    heard: list[tuple[str, int]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    opened: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    cut: requests.RequestException | None = None

    @property
    def own(self) -> list[tuple[str, int]]:
        """Without what everybody hears."""
        return [each for each in self.heard if each[0] not in ("everyone", "changed")]

    def listen(self, url: str, token: str, **headers: str) -> None:
        answer = requests.get(url, cookies={"critter": token}, headers=headers, stream=True, timeout=60)
        assert answer.status_code == 200, answer.status_code
        threading.Thread(target=self._read, args=(answer,), daemon=True).start()
        assert self.opened.wait(30), "the server never said that it is open"

    def _read(self, answer: requests.Response) -> None:
        try:
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
                self._take(line)
        except requests.RequestException as problem:
            self.cut = problem
        self.closed.set()

    def _take(self, line: str) -> None:
        if line == "event: open":
            self.opened.set()
        elif line.startswith("id: "):
            self.ids.append(int(line[4:]))
        elif line.startswith("data: ") and line != "data: {}":
            places: dict[str, list[str]] = json.loads(line[6:])
            self.heard += [(place, int(post)) for place, posts in places.items() for post in posts]


@dataclass
class Stream:
    url: str
    company: PageCompany
    listeners: list[Listener] = field(default_factory=list)

    def token(self, handle: str) -> str:
        with transaction(self.company.engine) as session:
            return web_sessions.begin(session, session.get_one(Account, self.company.people[handle]), "code")

    def listen(self, handle: str, since: int | None = None) -> Listener:
        listener = Listener()
        self.listeners.append(listener)
        headers = {"Last-Event-ID": str(since)} if since else {}
        listener.listen(f"{self.url}/stream", self.token(handle), **headers)
        return listener


@pytest.fixture
def stream(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    monkeypatch.setattr(stream_server, "LOOK", 0.05)
    monkeypatch.setattr(stream_server, "CHECK", 0.1)
    parts = web.build(settings)
    own = connect(settings.database_url, keys=settings.secret_keys)
    app: Flask = web.create_app(settings, parts)
    port, stop = free_port(), asyncio.Event()
    runner, server = asyncio.Runner(), StreamServer(settings, own)
    loop = runner.get_loop()
    thread = threading.Thread(target=runner.run, args=(_serve(server, port, stop),))
    thread.start()
    _until(lambda: server._since)  # it has looked once: what comes from now on is news
    stream = Stream(f"http://127.0.0.1:{port}", PageCompany(settings, engine, app))
    yield stream
    cut = [each.cut for each in stream.listeners]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    runner.close()
    assert cut == [None] * len(cut), "it was cut before the server went"
    own.dispose()
    parts.close()


async def _serve(server: StreamServer, port: int, stop: asyncio.Event) -> None:
    runner = aiohttp_web.AppRunner(server.application(), shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp_web.TCPSite(runner, "127.0.0.1", port).start()
    await stop.wait()
    await runner.cleanup()


def _until(true: Callable[[], Any], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def test_each_hears_of_what_is_theirs_alone(stream: Stream) -> None:
    company = stream.company
    with transaction(company.engine) as session:
        follows.follow(session, company.people["anne"], company.people["board"], by_text=False, role="member")
    kim, sam, anne = (stream.listen(each) for each in ("kim", "sam", "anne"))
    public = company.says("kim", "for followers")
    closed = company.says("kim", "in the closed group", to="board")
    named = company.says("anne", "@sam look")
    pair = (company.people["anne"], company.people["anne"])
    private = company.says("kim", "between us", visibility="direct", recipients=[pair])
    last = ("to_you", company.says("sam", "@kim @anne the last")), ("to_you", company.says("kim", "@sam the last"))
    _until(lambda: last[0] in kim.heard and last[0] in anne.heard and last[1] in sam.heard)
    assert sorted(sam.own) == sorted([("home", public), ("to_you", named), ("home", last[1][1]), last[1]])
    group = f"group:{company.people['board']}"
    assert sorted(anne.own) == sorted([("home", closed), (group, closed), ("private", private), last[0]])
    assert kim.own == [last[0]]  # one's own is no news
    everyone = {public, named, last[0][1], last[1][1]}
    for each in (kim, sam, anne):
        assert {post for place, post in each.heard if place == "everyone"} == everyone


def test_what_changes_is_told_to_those_who_may_know_of_it(stream: Stream) -> None:
    company = stream.company
    with transaction(company.engine) as session:
        follows.follow(session, company.people["anne"], company.people["board"], by_text=False, role="member")
    public, closed = company.says("kim", "for all"), company.says("kim", "in the closed group", to="board")
    pair = (company.people["anne"], company.people["anne"])
    private = company.says("kim", "between us", visibility="direct", recipients=[pair])
    sam, anne = stream.listen("sam"), stream.listen("anne")
    for post in (public, closed, private):
        company.open("anne").press(f"/updates/{post}/like")
    _until(lambda: {public, closed, private} == {post for place, post in anne.heard if place == "changed"})
    _until(lambda: ("changed", public) in sam.heard)
    assert {post for place, post in sam.heard if place == "changed"} == {public}
    before = len(sam.heard)
    company.open("sam").press(f"/updates/{public}/like")  # it changes again, and is told again
    _until(lambda: ("changed", public) in sam.heard[before:])


def test_who_muted_or_blocked_hears_nothing_of_it(stream: Stream) -> None:
    company = stream.company
    with transaction(company.engine) as session:
        mutes.put(session, company.people["sam"], company.people["anne"], mutes.MuteSnapshot("mute", None))
        mutes.block(session, company.people["anne"], company.people["kim"])
    sam, anne = stream.listen("sam"), stream.listen("anne")
    company.says("anne", "@sam hello", to="acme")
    company.says("kim", "@anne hello")
    last, told = company.says("kim", "the last"), company.says("sam", "@anne the last")
    _until(lambda: ("home", last) in sam.heard and ("to_you", told) in anne.heard)
    assert not [each for each in sam.heard if each[0] == "to_you"]
    assert anne.own == [("to_you", told)]


def test_a_page_that_was_away_hears_what_came_meanwhile_once(stream: Stream) -> None:
    company = stream.company
    sam = stream.listen("sam")
    first = company.says("kim", "while there")
    _until(lambda: sam.own == [("home", first)])
    missed = [company.says("kim", f"while away {number}") for number in range(3)]
    again = stream.listen("sam", since=sam.ids[-1])
    _until(lambda: len(again.own) >= 3)
    last = company.says("kim", "when back")
    _until(lambda: ("home", last) in again.heard)
    new = [post for _, post in again.own if post not in {first}]  # what it knows it may hear again, by its id
    assert new == [*missed, last]
    assert len(set(again.heard)) == len(again.heard)


def test_what_waits_for_undo_is_no_news_until_it_leaves(stream: Stream) -> None:
    company = stream.company
    sam = stream.listen("sam")
    company.open("kim").press("/updates", {"audience": "everyone", "text": "perhaps"})
    at_once = company.says("kim", "for sure")
    _until(lambda: sam.own)
    assert sam.own == [("home", at_once)]
    with company.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE fanouts SET not_before = now() - interval '1 second'")
    _until(lambda: len(sam.own) == 2)


def test_what_waited_longer_than_usual_is_news_when_it_leaves(stream: Stream) -> None:
    """An installation may hold what is written for minutes."""
    company = stream.company
    post = company.says("kim", "it waited")
    sam, seconds = company.people["sam"], 1000 << 16
    with transaction(company.engine) as session:
        for late, hold, heard in ((30, 10.0, True), (100, 10.0, False), (100, 60.0, True)):
            found = news.find(session, [sam], post + late * seconds, hold)
            assert [one.post_id for one in found if one.place == "home"] == [post] * heard, (late, hold)


def test_a_stream_ends_with_its_session(stream: Stream) -> None:
    company = stream.company
    sam, kim = stream.listen("sam"), stream.listen("kim")
    with transaction(company.engine) as session:
        accounts.suspend(session, company.people["sam"])
    assert sam.closed.wait(30)
    assert not kim.closed.is_set()


def test_only_who_is_signed_in_on_our_pages_may_listen(stream: Stream) -> None:
    for token, headers, status in (
        ("", {}, 401),
        ("x" * 43, {}, 401),
        (stream.token("sam"), {"Origin": "https://evil.example"}, 403),
    ):
        answer = requests.get(f"{stream.url}/stream", cookies={"critter": token}, headers=headers, timeout=30)
        assert answer.status_code == status
