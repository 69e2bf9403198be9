"""Lists by pages: an app says by ids where it is, and finds the addresses of the pages beside it in the header Link."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from flask import request
from pydantic import BeforeValidator

from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Id, Parameters
from gateway.store.id_range import IdRange

MOST: Final = 80
USUAL: Final = 20
PLACES: Final = ("max_id", "since_id", "min_id")


def bounded(given: Any) -> Any:
    """Whoever asks for more than we give gets what we give."""
    text = str(given)
    return min(max(int(text), 1), MOST) if text.isascii() and text.isdecimal() and len(text) < 10 else given


class Paging(Parameters):
    """Parameters of a list: older than `max_id`, newer than `since_id`; `min_id`: the next ones above it."""

    max_id: Id | None = None
    since_id: Id | None = None
    min_id: Id | None = None
    limit: Annotated[int, BeforeValidator(bounded)] = USUAL

    def range(self, most: int = MOST) -> IdRange:
        return IdRange(self.max_id, self.since_id, self.min_id, min(self.limit, most))


def link(call: ApiCall, ids: Sequence[int], asked: IdRange, *, more: bool = False) -> None:
    """Puts the addresses of the pages beside this one into the answer. `ids`: what the list is ordered by, the newest
    first. `next` stands first, for some clients read only that; there is none when this page was not full, unless there
    are `more` all the same."""
    links = []
    if ids and (len(ids) >= asked.limit or more):
        links.append(_link(call, "max_id", ids[-1], "next"))
    if ids:
        links.append(_link(call, "min_id", ids[0], "prev"))
    if links:
        call.header("Link", ", ".join(links))


def _link(call: ApiCall, place: str, value: int, rel: str) -> str:
    kept = [(name, each) for name, each in request.args.items(multi=True) if name not in PLACES]
    return f'<{call.url(request.path)}?{urlencode([*kept, (place, value)])}>; rel="{rel}"'
