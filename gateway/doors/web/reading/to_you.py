"""To you: who named, answered, liked, repeated, followed or nudged one, and who asks to join one's groups."""

from gateway.doors.web.reading import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.network.feeds import news
from gateway.network.feeds import to_you as notices_to
from gateway.network.web import read_marks


@ROUTER.page("/to-you")
def to_you(visit: Visit) -> str:
    notices = notices_to.list_notices(visit.session, visit.account.id)
    read_marks.advance(visit.session, visit.account.id, read_marks.TO_YOU, news.newest(visit.session))
    return render(visit, "reading/to_you.html", notices=notices)
