"""What a search finds for one reader: people, groups, updates. Each comes from the one place that knows who may see
it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy.orm import Session

from gateway.attention.zones import zone
from gateway.language.search_query import SearchQuery
from gateway.network.feeds import feed_items, private_talks
from gateway.network.feeds.feed_items import FeedItem
from gateway.network.feeds.feeds import NEWEST, PAGE, Feed
from gateway.network.feeds.private_talks import TalkPartner
from gateway.network.follows import directory_pages
from gateway.network.follows.directory_pages import DirectoryEntry
from gateway.network.people import accounts, directory
from gateway.network.posts import post_search
from gateway.network.posts.post_search import PostQuery
from gateway.store.tables import Account

MOST_ACCOUNTS: Final = 6  # people, and groups
MOST_PRIVATE: Final = 10


@dataclass(frozen=True, slots=True)
class Found:
    """`updates`: None when there was no time to find them all. `private`: the reader's own private messages, and with
    whom each was exchanged. `unknown`: names after from: and in: that are nobody's
    (or, of a group, nothing that the reader may know of)."""

    people: Sequence[DirectoryEntry]
    groups: Sequence[DirectoryEntry]
    updates: Feed | None
    unknown: Sequence[str] = ()
    private: Sequence[tuple[FeedItem, TalkPartner]] = ()

    @property
    def nothing(self) -> bool:
        return not (self.people or self.groups or self.private or self.updates is None or self.updates.items)


def search(session: Session, reader: Account, query: SearchQuery, before: int = NEWEST) -> Found:
    """People and groups are looked for by the words alone, on the first page."""
    first = before == NEWEST and not query.narrowed and bool(query.said)
    people = _accounts(session, reader, "people", query) if first else ()
    groups = _accounts(session, reader, "groups", query) if first else ()
    wanted, unknown = _post_query(session, reader, query)
    if unknown:
        return Found(people, groups, Feed(()), unknown)
    private = _private(session, reader, wanted) if before == NEWEST else ()
    return Found(people, groups, _updates(session, reader, wanted, before), private=private)


def _accounts(session: Session, reader: Account, which: str, query: SearchQuery) -> Sequence[DirectoryEntry]:
    kind: directory_pages.Which = "people" if which == "people" else "groups"
    found = directory_pages.list_page(session, reader.id, kind, wanted=query.said, most=MOST_ACCOUNTS)
    return found.entries


def _updates(session: Session, reader: Account, query: PostQuery, before: int) -> Feed | None:
    ids = post_search.find(session, reader.id, reader.language, query, before, PAGE)
    if ids is None:
        return None
    items = feed_items.load(session, reader.id, ids[:PAGE])
    return Feed(items, ids[PAGE - 1] if len(ids) > PAGE else None)


def _private(session: Session, reader: Account, query: PostQuery) -> Sequence[tuple[FeedItem, TalkPartner]]:
    """The newest few; what cannot be found in time is left out, and from: or before: narrows it."""
    wanted = replace(query, private=True)
    ids = post_search.find(session, reader.id, reader.language, wanted, NEWEST, MOST_PRIVATE)
    if not ids:
        return ()
    items = feed_items.load(session, reader.id, ids[:MOST_PRIVATE])
    others = private_talks.find_others(session, reader.id, [item.id for item in items])
    return [(item, others[item.id]) for item in items if item.id in others]


def _post_query(session: Session, reader: Account, query: SearchQuery) -> tuple[PostQuery, list[str]]:
    authors, nobody = _named(session, reader, query.authors, "person")
    groups, none = _named(session, reader, query.groups, "group")
    wanted = PostQuery(
        query.words, query.phrases, query.without, authors, groups, query.to_me, _midnight(reader, query.after),
        _midnight(reader, query.before), query.pictures,
    )  # fmt: skip
    return wanted, [*nobody, *none]


def _named(
    session: Session, reader: Account, names: Sequence[str], kind: str
) -> tuple[list[int] | None, list[str]]:  # fmt: skip
    """The ids of these, None when none was asked for; and the names that mean nobody."""
    found: list[int] = []
    unknown = []
    for name in names:
        ids = _ids(session, reader, name, kind)
        found += ids
        unknown += [] if ids else [name]
    return found if names else None, unknown


def _ids(session: Session, reader: Account, name: str, kind: str) -> list[int]:
    if name.casefold() == "me" and kind == "person":
        return [reader.id]
    exactly = accounts.by_handle(session, name)
    if exactly is not None and exactly.kind == kind:
        return [exactly.id]
    return [each.id for each in directory.find(session, name, None).exact if each.kind == kind]


def _midnight(reader: Account, day: date | None) -> datetime | None:
    """When a day begins by the reader's clock; None also for one that no clock shows."""
    if day is None or not timedelta(days=2) < day - date.min < date.max - date.min - timedelta(days=2):
        return None
    return datetime.combine(day, time(), zone(reader.zone_now))
