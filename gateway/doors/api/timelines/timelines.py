"""Home, what anyone here may read, what has a tag, and lists."""

from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.paging import Paging
from gateway.doors.api.statuses.entities import Status
from gateway.doors.api.statuses.lists import list_statuses
from gateway.doors.api.timelines import ROUTER
from gateway.network.feeds import post_lists


class PublicParameters(Paging):
    """Everybody here is local, so there is nothing that is only remote."""

    local: bool = False
    remote: bool = False
    only_media: bool = False


class TagParameters(PublicParameters):
    """Further tags: with one of `any`, too, with each of `all`, without those of `none`."""

    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()


@ROUTER.get("/api/v1/timelines/home", "read:statuses")
def home(call: ApiCall, given: Paging) -> list[Status]:
    """What whom they follow wrote, what was written in their groups and under their tags, and what names them. A post
    in an open group is passed on by the group, unless they follow its writer, too."""
    return list_statuses(call, post_lists.HOME, given, by_groups=True)


@ROUTER.get("/api/v1/timelines/public", "read:statuses")
def public(call: ApiCall, given: PublicParameters) -> list[Status]:
    """What anyone here may read, the newest first."""
    if given.remote and not given.local:
        return []
    return list_statuses(call, post_lists.EVERYONE, given, only_media=given.only_media)


@ROUTER.get("/api/v1/timelines/tag/<name>", "read:statuses")
def tag(call: ApiCall, name: str, given: TagParameters) -> list[Status]:
    """What has a tag, as far as the person may read it."""
    if given.remote and not given.local:
        return []
    every = {_folded(each) for each in given.all}
    return list_statuses(
        call, post_lists.TAGGED, given, only_media=given.only_media, all=sorted(every), number=len(every),
        any=[_folded(each) for each in (name, *given.any)], none=[_folded(each) for each in given.none],
    )  # fmt: skip


def _folded(tag: str) -> str:
    return tag.lstrip("#").casefold()
