"""What reaches one just now, beside Home on a broad screen. It is a piece of its own, which the page asks for when it
is seen: on a phone nobody waits for it."""

from gateway.doors.web.reading import ROUTER
from gateway.doors.web.shell.rendering import render_piece
from gateway.doors.web.visits.visit import Visit
from gateway.network.web import reach_state


@ROUTER.page("/home/reach")
def reach_card(visit: Visit) -> str:
    return render_piece(
        visit, "reading/reach_card.html", reach=reach_state.find(visit.session, visit.account.id)
    )  # fmt: skip
