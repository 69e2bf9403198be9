"""#tags that one follows."""

from typing import Final

from werkzeug.exceptions import NotFound

from gateway.actions import following, subscribing
from gateway.doors.api.accounts import ROUTER
from gateway.doors.api.accounts.relationships import ONLY_HERE
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Entity
from gateway.doors.api.frame.paging import Paging, link
from gateway.language.nanoformats import is_tag
from gateway.network.follows import account_pages, tag_follows

FOLLOWED: Final = 200  # of one page


class FollowedTag(Entity):
    """A tag; `history`: nobody counts its use by days."""

    id: str
    name: str
    url: str
    history: tuple[()] = ()
    following: bool
    featuring: bool = False


@ROUTER.get("/api/v1/followed_tags", "read:follows")
def followed(call: ApiCall, given: Paging) -> list[FollowedTag]:
    """The tags that one follows."""
    asked = given.range(FOLLOWED)
    topics = account_pages.list_followed_tags(call.session, call.account.id, asked)
    link(call, [topic.id for topic in topics], asked)
    return [_describe(call, topic.tag, following=True) for topic in topics]


@ROUTER.get("/api/v1/tags/<name>", "read:follows")
def one(call: ApiCall, name: str) -> FollowedTag:
    """A tag, and whether one follows it."""
    tag = _tag(name)
    follows = tag_follows.standing(call.session, call.account.id, tag) is not None
    return _describe(call, tag, following=follows)


@ROUTER.post("/api/v1/tags/<name>/follow", "write:follows")
def follow(call: ApiCall, name: str) -> FollowedTag:
    """What everyone may read with this tag stands in one's home timeline; nothing of it is sent."""
    tag = _tag(name)
    if tag_follows.standing(call.session, call.account.id, tag) is None:
        call.do(subscribing.follow_tag, f"#{tag}", ONLY_HERE)
    return _describe(call, tag, following=True)


@ROUTER.post("/api/v1/tags/<name>/unfollow", "write:follows")
def unfollow(call: ApiCall, name: str) -> FollowedTag:
    tag = _tag(name)
    call.do(following.unfollow_tag, f"#{tag}")
    return _describe(call, tag, following=False)


def _tag(name: str) -> str:
    """As tags are kept; 404 for what can be none."""
    tag = tag_follows.canonical(name)
    if not is_tag(f"#{tag}"):
        raise NotFound
    return tag


def _describe(call: ApiCall, tag: str, *, following: bool) -> FollowedTag:
    return FollowedTag(id=tag, name=tag, url=call.url(f"/tags/{tag}"), following=following)
