"""P16: the memory of the `stream` process with 1,000 and 5,000 open streams of as many people, and the time from an
update's commit until the last of 1,000 has heard of it.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import text

from bench.company import Company, company
from bench.ports import free_port
from bench.result import Result
from gateway.network.posts import posts
from gateway.network.posts.posts import NewPost
from gateway.network.web import web_sessions
from gateway.store.database import transaction
from gateway.store.tables import Account

FEW, MANY = 1_000, 5_000
MOST: Final = {FEW: 150.0, MANY: 300.0}  # MiB
IN_TIME: Final = 1_250.0  # milliseconds: the stream looks once a second
UPDATES: Final = 10
Page = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PEOPLE: Final = """
    INSERT INTO accounts (kind, handle, name) SELECT 'person', 'p' || n, 'Person ' || n
    FROM generate_series(1, CAST(:people AS int)) n
"""
FOLLOW: Final = """
    INSERT INTO follows (follower_id, account_id, role, state)
    SELECT id, (SELECT min(id) FROM accounts), 'follower', 'active' FROM accounts
    WHERE id <> (SELECT min(id) FROM accounts)
"""


def measure() -> list[Result]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 3 * MANY), hard))
    port = free_port()
    with company(CRITTER_STREAM_LISTEN=f"127.0.0.1:{port}") as place, place.process("stream") as process:
        place.run(PEOPLE, people=MANY + 1)
        place.run(FOLLOW)
        return asyncio.run(_measure(place, process.pid, port))


async def _measure(place: Company, pid: int, port: int) -> list[Result]:
    tokens = _sessions(place)
    pages: list[Page] = []
    found = []
    for number in (FEW, MANY):
        pages += await _open(port, tokens[len(pages) : number])
        await asyncio.sleep(3)  # a few looks for what is new
        name = f"P16 memory of stream with {number:,} open streams"
        found.append(Result(name, _mebibytes(pid), "MiB", "limit", MOST[number], 1, lower=True))
        if number == FEW:
            slowest = max([await _hear(place, pages) for _ in range(UPDATES)])
            name = f"P16 until the last of {FEW:,} hears of an update"
            found.append(Result(name, slowest, "ms", "limit", IN_TIME, 1, lower=True))
    return found


def _sessions(place: Company) -> Sequence[str]:
    with transaction(place.engine) as session:
        people = session.query(Account).order_by(Account.id).offset(1).limit(MANY)
        return [web_sessions.begin(session, person, "code") for person in people]


async def _open(port: int, tokens: Sequence[str]) -> list[Page]:
    """One after the other; a writer that nobody keeps would close its connection."""
    pages = []
    for token in tokens:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET /stream HTTP/1.1\r\nHost: x\r\nCookie: critter={token}\r\n\r\n".encode())
            if b" 200 " in await reader.readline():
                break
            writer.close()
        await reader.readuntil(b"event: open\ndata: {}\n\n")
        pages.append((reader, writer))
    return pages


async def _hear(place: Company, pages: Sequence[Page]) -> float:
    """Milliseconds from the commit until the last page has its event."""
    with transaction(place.engine) as session:
        author = session.get_one(Account, session.scalar(text("SELECT min(id) FROM accounts")))
        posts.publish(session, NewPost(author, "walking to the harbor", "company", "sms"))
    began = time.perf_counter()
    await asyncio.gather(*(reader.readuntil(b"event: news\n") for reader, _ in pages))
    return 1000 * (time.perf_counter() - began)


def _mebibytes(pid: int) -> float:
    """Resident, of its own: what it shares with others (the interpreter's code) counts for it, too."""
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    for result in measure():
        print(result.row(), flush=True)
