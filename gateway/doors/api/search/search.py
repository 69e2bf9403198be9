"""Search: people and groups by name or handle, tags, updates by words, and an update by its address."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from gateway.doors.api.accounts.account_lookup import by_address
from gateway.doors.api.accounts.entities import Account, listed
from gateway.doors.api.frame import paging
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Entity, Id, Line, Parameters
from gateway.doors.api.search import ROUTER
from gateway.doors.api.statuses import describing
from gateway.doors.api.statuses.entities import Status, TagLink
from gateway.language import search_query
from gateway.network.feeds import search as found_for
from gateway.network.feeds.feeds import NEWEST
from gateway.network.follows import directory_pages
from gateway.network.posts import tag_search

Wanted = Literal["accounts", "hashtags", "statuses"]
MOST: Final = 40
LARGEST_OFFSET: Final = 400


class SearchParameters(Parameters):
    """`resolve`: everybody is here, so nothing more is found with it. `account_id`: updates of this person alone."""

    q: Line
    type: Wanted | Literal[""] = ""
    resolve: bool = False
    following: bool = False
    account_id: Id | None = None
    max_id: Id | None = None
    limit: Annotated[int, BeforeValidator(paging.bounded)] = 20
    offset: int = 0


class SearchTag(TagLink):
    """A tag that was used. `history`: how often, which is not counted."""

    history: Sequence[Any] = ()


class SearchResults(Entity):
    accounts: Sequence[Account] = ()
    statuses: Sequence[Status] = ()
    hashtags: Sequence[SearchTag] = ()


@ROUTER.get("/api/v2/search", "read:search")
def search(call: ApiCall, given: SearchParameters) -> SearchResults:
    """What the person may know of. An address of ours finds the update or the account that it is of."""
    words = given.q.strip()
    if words.startswith(call.settings.public_url + "/"):
        return _by_address(call, urlsplit(words).path)
    return SearchResults(
        accounts=_accounts(call, words, given) if given.type in ("", "accounts") else [],
        hashtags=_tags(call, words, given) if given.type in ("", "hashtags") else [],
        statuses=_statuses(call, words, given) if given.type in ("", "statuses") else [],
    )


@ROUTER.get("/api/v1/search", "read:search")
def old_search(call: ApiCall, given: SearchParameters) -> SearchResults:
    """The same under its older address."""
    return search(call, given)


def _by_address(call: ApiCall, path: str) -> SearchResults:
    """/updates/ID and /@handle."""
    place, _, rest = path.strip("/").partition("/")
    if place == "updates" and rest.isascii() and rest.isdecimal() and len(rest) < 19:
        return SearchResults(statuses=describing.of_posts(call, [int(rest)]))
    account = by_address(call, place) if place.startswith("@") else None
    return SearchResults(accounts=listed(call, [account.id]) if account else [])


def _accounts(call: ApiCall, words: str, given: SearchParameters) -> list[Account]:
    """Whose handle it is stands first; clients look people up in this way."""
    exactly, (handle, at, _) = by_address(call, words), words.lstrip("@").partition("@")
    if at and exactly is None:
        return []  # of another server
    which: directory_pages.Which = "following" if given.following else "everybody"
    most = min(given.limit, MOST) + min(max(given.offset, 0), LARGEST_OFFSET)
    entries = directory_pages.list_page(call.session, call.account.id, which, wanted=handle, most=most).entries
    first = [exactly.id] if exactly and (not given.following or exactly.id in {each.id for each in entries}) else []
    ids = list(dict.fromkeys([*first, *(each.id for each in entries)]))
    return listed(call, ids[max(given.offset, 0) :][: min(given.limit, MOST)])


def _tags(call: ApiCall, words: str, given: SearchParameters) -> list[SearchTag]:
    found = tag_search.begin_with(call.session, call.account.id, words.lstrip("#"), min(given.limit, MOST))
    return [SearchTag(name=tag, url=call.url(f"/tags/{tag}")) for tag in found] if not given.offset else []


def _statuses(call: ApiCall, words: str, given: SearchParameters) -> list[Status]:
    query = search_query.read(words)
    if query.empty:
        return []
    below = given.max_id if given.max_id is not None else NEWEST
    found = found_for.search(call.session, call.account, query, below).updates
    items = [each for each in (found.items if found else ()) if given.account_id in (None, each.author.id)]
    return describing.statuses(call, items[max(given.offset, 0) :][: min(given.limit, MOST)])
