"""Who listens: one entry for each open page, and what is already known to be new for its person."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.network.feeds.news import ALL, News

MOST_OF_ONE: Final = 20  # open pages of one person; the oldest is closed for a new one
REMEMBERED: Final = 500  # news of one page; older ones cannot come again
REMEMBERED_OF_ALL: Final = 20_000
Known = dict[tuple[int, str, int], None]  # in the order in which they came


@dataclass(slots=True, eq=False)
class Subscriber:
    """`token`: of its session; `events`: what is to be sent; None closes it."""

    account_id: int
    token: str
    events: asyncio.Queue[list[News] | None] = field(default_factory=asyncio.Queue)
    known: Known = field(default_factory=dict)

    def offer(self, news: Iterable[News]) -> None:
        """Queues what this page does not know yet."""
        fresh = take_fresh(self.known, news)
        if fresh:
            self.events.put_nowait(fresh)

    def close(self) -> None:
        self.events.put_nowait(None)


def take_fresh(known: Known, news: Iterable[News], most: int = REMEMBERED) -> list[News]:
    """Those that are not known yet; they are from now on."""
    fresh = [one for one in news if (one.post_id, one.place, one.version) not in known]
    for one in fresh:
        known[one.post_id, one.place, one.version] = None
    while len(known) > most:
        del known[next(iter(known))]
    return fresh


class Subscribers:
    """One per process, used by its event loop alone."""

    def __init__(self) -> None:
        self._of: dict[int, list[Subscriber]] = defaultdict(list)
        self._told_all: Known = {}

    def add(self, one: Subscriber) -> None:
        pages = self._of[one.account_id]
        if len(pages) >= MOST_OF_ONE:
            pages.pop(0).close()
        pages.append(one)

    def remove(self, one: Subscriber) -> None:
        pages = self._of[one.account_id]
        if one in pages:
            pages.remove(one)
        if not pages:
            del self._of[one.account_id]

    def accounts(self) -> list[int]:
        return list(self._of)

    def tell(self, news: Iterable[News]) -> None:
        """Hands each person's news to each of their open pages, and what is for all to everybody's."""
        for_whom: dict[int, list[News]] = defaultdict(list)
        for one in news:
            for_whom[one.account_id].append(one)
        for_all = take_fresh(self._told_all, for_whom.pop(ALL, []), REMEMBERED_OF_ALL)
        for account_id in list(self._of) if for_all else list(for_whom):
            for page in self._of.get(account_id, ()):
                page.offer([*for_whom.get(account_id, ()), *for_all])

    def __iter__(self) -> Iterator[Subscriber]:
        for pages in list(self._of.values()):
            yield from list(pages)
