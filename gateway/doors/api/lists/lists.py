"""Lists, who is in each, and what they wrote. A group is a list that cannot be changed; its id is that of the group."""

from typing import Literal

from werkzeug.exceptions import NotFound

from gateway.actions.personal import listing
from gateway.doors.api.accounts import account_lookup
from gateway.doors.api.accounts.entities import Account, listed
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Empty, Entity, Id, Line, Parameters
from gateway.doors.api.frame.paging import Paging, link
from gateway.doors.api.lists import ROUTER
from gateway.doors.api.statuses.entities import Status
from gateway.doors.api.statuses.lists import list_statuses
from gateway.network.feeds import post_lists
from gateway.network.follows import account_lists
from gateway.network.follows.account_lists import NamedList


class ListEntity(Entity):
    """Every list has all that is written by who is in it, and takes nothing out of home."""

    id: Id
    title: str
    replies_policy: Literal["followed"] = "followed"
    exclusive: bool = False


class Titled(Parameters):
    title: Line = ""


class Members(Parameters):
    account_ids: tuple[Id, ...] = ()


@ROUTER.get("/api/v1/lists", "read:lists")
def lists(call: ApiCall) -> list[ListEntity]:
    """The person's own, and their groups."""
    return [_entity(each) for each in account_lists.find_all(call.session, call.account.id)]


@ROUTER.get("/api/v1/accounts/<id:account_id>/lists", "read:lists")
def lists_with(call: ApiCall, account_id: int) -> list[ListEntity]:
    """Those of the person's own that somebody is in."""
    other = account_lookup.active(call, account_id)
    return [_entity(each) for each in account_lists.find_with(call.session, call.account.id, other.id)]


@ROUTER.get("/api/v1/lists/<id:list_id>", "read:lists")
def one(call: ApiCall, list_id: int) -> ListEntity:
    """One list."""
    return _entity(_find(call, list_id))


@ROUTER.post("/api/v1/lists", "write:lists")
def make(call: ApiCall, given: Titled) -> ListEntity:
    """Makes an empty list."""
    return _entity(_find(call, call.do(listing.make_list, given.title)))


@ROUTER.put("/api/v1/lists/<id:list_id>", "write:lists")
def rename(call: ApiCall, list_id: int, given: Titled) -> ListEntity:
    """Gives it another name."""
    return _entity(_find(call, call.do(listing.rename_list, list_id, given.title)))


@ROUTER.delete("/api/v1/lists/<id:list_id>", "write:lists")
def delete(call: ApiCall, list_id: int) -> Empty:
    """Deletes it; who was in it stays followed."""
    call.do(listing.delete_list, list_id)
    return Empty()


@ROUTER.get("/api/v1/lists/<id:list_id>/accounts", "read:lists")
def members(call: ApiCall, list_id: int, given: Paging) -> list[Account]:
    """Who is in it."""
    asked = given.range()
    ids = account_lists.page(call.session, call.account.id, _find(call, list_id), asked)
    link(call, ids, asked)
    return listed(call, ids)


@ROUTER.post("/api/v1/lists/<id:list_id>/accounts", "write:lists")
def put(call: ApiCall, list_id: int, given: Members) -> Empty:
    """Puts people and groups into it whom the person follows; 404 for others."""
    call.do(listing.put_in_list, list_id, given.account_ids)
    return Empty()


@ROUTER.delete("/api/v1/lists/<id:list_id>/accounts", "write:lists")
def take(call: ApiCall, list_id: int, given: Members) -> Empty:
    """Takes them out."""
    call.do(listing.take_from_list, list_id, given.account_ids)
    return Empty()


@ROUTER.get("/api/v1/timelines/list/<id:list_id>", "read:lists", "read:statuses")
def timeline(call: ApiCall, list_id: int, given: Paging) -> list[Status]:
    """What those in it wrote; of a group, what was written there."""
    found = _find(call, list_id)
    if not found.group:
        return list_statuses(call, post_lists.OF_LIST, given, list=found.id, by_groups=True)
    return list_statuses(
        call, post_lists.IN_GROUP, given, account=found.id, exclude_replies=False, only_media=False, by_tag=False,
        tagged=[],
    )  # fmt: skip


def _find(call: ApiCall, list_id: int) -> NamedList:
    found = account_lists.find(call.session, call.account.id, list_id)
    if found is None:
        raise NotFound
    return found


def _entity(of: NamedList) -> ListEntity:
    return ListEntity(id=of.id, title=of.title)
