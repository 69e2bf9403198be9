"""Lists of one's own: whom one has muted or blocked, who asks to join one's groups, and deciding about them."""

from collections.abc import Sequence

from werkzeug.exceptions import NotFound

from gateway.actions.groups import join_requests
from gateway.doors.api.accounts import ROUTER, account_lookup, relationships
from gateway.doors.api.accounts.entities import Account, listed
from gateway.doors.api.accounts.relationships import Relationship
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.paging import Paging, link
from gateway.network.follows import account_pages, group_owners
from gateway.network.people.directory import find_named
from gateway.store.id_range import IdRange


@ROUTER.get("/api/v1/mutes", "read:mutes")
def mutes(call: ApiCall, given: Paging) -> list[Account]:
    """Whom one has muted."""
    asked = given.range()
    return _page(call, account_pages.list_silenced(call.session, call.account.id, "mute", asked), asked)


@ROUTER.get("/api/v1/blocks", "read:blocks")
def blocks(call: ApiCall, given: Paging) -> list[Account]:
    """Whom one has blocked."""
    asked = given.range()
    return _page(call, account_pages.list_silenced(call.session, call.account.id, "block", asked), asked)


@ROUTER.get("/api/v1/follow_requests", "read:follows")
def requests(call: ApiCall, given: Paging) -> list[Account]:
    """Who asks to join a closed group that one owns."""
    asked = given.range()
    return _page(call, group_owners.list_asking(call.session, call.account.id, asked), asked)


def _page(call: ApiCall, ids: Sequence[int], asked: IdRange) -> list[Account]:
    link(call, ids, asked)
    return listed(call, ids)


@ROUTER.post("/api/v1/follow_requests/<id:account_id>/authorize", "write:follows")
def authorize(call: ApiCall, account_id: int) -> Relationship:
    """Lets somebody into every closed group of one's own that they ask to join."""
    return _decide(call, account_id, admit=True)


@ROUTER.post("/api/v1/follow_requests/<id:account_id>/reject", "write:follows")
def reject(call: ApiCall, account_id: int) -> Relationship:
    """Says no to all that they ask to join."""
    return _decide(call, account_id, admit=False)


def _decide(call: ApiCall, account_id: int, *, admit: bool) -> Relationship:
    person = account_lookup.named(call, account_id)
    groups = group_owners.asked_groups(call.session, call.account.id, account_id)
    if not groups:
        raise NotFound
    for group in groups:
        call.do(join_requests.decide, person, find_named(group), admit=admit)
    return relationships.to(call, account_id)
