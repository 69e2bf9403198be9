"""To you: who named, answered, liked, repeated, followed or nudged one, and who asks to join one's groups."""

from datetime import datetime
from typing import Final

from gateway.doors.web.reading import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.network.feeds import news
from gateway.network.feeds import to_you as notices_to
from gateway.network.receipts import own_copies
from gateway.network.web import read_marks

SHOWN: Final = {"names": ("mention",), "answers": ("reply",), "followers": ("follow",)}
WRITTEN: Final = ("mention", "reply")  # what was perhaps sent as well


@ROUTER.page("/to-you")
def to_you(visit: Visit) -> str:
    """`?show=`: names, answers, followers."""
    show, me = visit.arg("show", 10), visit.account.id
    notices = notices_to.list_notices(visit.session, me, SHOWN.get(show, notices_to.SHOWN))
    written = [each.post_id for each in notices if each.post_id and each.kind in WRITTEN]
    copies = own_copies.find(visit.session, me, written)
    read = read_marks.read(visit.session, me, [read_marks.TO_YOU]).get(read_marks.TO_YOU, 0)
    read_marks.advance(visit.session, me, read_marks.TO_YOU, news.newest(visit.session))
    return render(
        visit, "reading/to_you.html", notices=notices, copies=copies, show=show if show in SHOWN else "",
        read=datetime.fromtimestamp((read >> 16) / 1000).astimezone(),
    )  # fmt: skip
