"""Looking at people and groups: one, several, by name, who hears whom."""

from typing import Annotated, Final

from pydantic import Field
from werkzeug.exceptions import NotFound

from gateway.doors.api.accounts import ROUTER, account_lookup
from gateway.doors.api.accounts.entities import Account, accounts_of, listed, whole
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Entity, Id, Parameters
from gateway.doors.api.frame.paging import Paging, link
from gateway.network.follows import account_pages, directory_pages

MOST: Final = 80  # accounts of one answer
SHOWN: Final = 10  # of those whom both follow

Ids = Annotated[tuple[Id, ...], Field(max_length=MOST)]


class Wanted(Parameters):
    id: Ids = ()


class AccountAddress(Parameters):
    acct: Annotated[str, Field(min_length=1, max_length=300)]


class AccountSearch(Parameters):
    """`following`: only among whom one follows. `resolve` means nothing here: there are no other servers."""

    q: Annotated[str, Field(max_length=300)] = ""
    limit: Annotated[int, Field(ge=1)] = 40
    offset: Annotated[int, Field(ge=0)] = 0
    following: bool = False
    resolve: bool = False


class FamiliarFollowers(Entity):
    """Those who follow this account and whom one follows oneself."""

    id: Id
    accounts: list[Account]


@ROUTER.get("/api/v1/accounts", "read:accounts")
def several(call: ApiCall, given: Wanted) -> list[Account]:
    """People and groups by their ids. Who is not there is left out."""
    return listed(call, given.id)


@ROUTER.get("/api/v1/accounts/<id:account_id>", "read:accounts")
def one(call: ApiCall, account_id: int) -> Account:
    """A person or a group."""
    return whole(call, account_lookup.active(call, account_id).id)


@ROUTER.get("/api/v1/accounts/lookup", "read:accounts")
def lookup(call: ApiCall, given: AccountAddress) -> Account:
    """The person or group of this name: kim, @kim or kim@host."""
    found = account_lookup.by_address(call, given.acct)
    if found is None:
        raise NotFound
    return whole(call, found.id)


@ROUTER.get("/api/v1/accounts/search", "read:accounts")
def search(call: ApiCall, given: AccountSearch) -> list[Account]:
    """People and groups whose name, handle or title has this part; the one that is called exactly so comes first."""
    return find(call, given.q, min(given.limit, MOST), given.offset, only_followed=given.following)


def find(call: ApiCall, words: str, most: int, offset: int = 0, *, only_followed: bool = False) -> list[Account]:
    """The same for every search."""
    if not words.strip():
        return []
    exactly = account_lookup.by_address(call, words)
    which: directory_pages.Which = "following" if only_followed else "everybody"
    wanted = exactly.handle if exactly else words.strip()
    page = directory_pages.list_page(call.session, call.account.id, which, wanted=wanted, most=offset + most)
    ids = [each.id for each in page.entries]
    if exactly and (exactly.id in ids or not only_followed):
        ids = [exactly.id, *(each for each in ids if each != exactly.id)]
    return listed(call, ids[offset : offset + most])


@ROUTER.get("/api/v1/accounts/<id:account_id>/followers", "read:accounts")
def followers(call: ApiCall, account_id: int, given: Paging) -> list[Account]:
    """Who follows a person or is in a group. Who is in a closed group is for its members."""
    asked, account = given.range(), account_lookup.active(call, account_id)
    ids = account_pages.list_followers(call.session, call.account.id, account, asked)
    link(call, ids, asked)
    return listed(call, ids)


@ROUTER.get("/api/v1/accounts/<id:account_id>/following", "read:accounts")
def following(call: ApiCall, account_id: int, given: Paging) -> list[Account]:
    """Whom a person follows, and the groups that they are in and the reader may know of."""
    asked, account = given.range(), account_lookup.active(call, account_id)
    ids = account_pages.list_following(call.session, call.account.id, account, asked)
    link(call, ids, asked)
    return listed(call, ids)


@ROUTER.get("/api/v1/accounts/familiar_followers", "read:follows")
def familiar_followers(call: ApiCall, given: Wanted) -> list[FamiliarFollowers]:
    """Whom one follows oneself among the followers of each account."""
    known = account_pages.list_known_followers(call.session, call.account.id, given.id, SHOWN)
    found = accounts_of(call, [each for ids in known.values() for each in ids])
    return [
        FamiliarFollowers(id=each, accounts=[found[one] for one in known.get(each, ()) if one in found])
        for each in given.id
    ]
