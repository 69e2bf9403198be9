"""The menu: on a phone, all that is not in the bar at the foot."""

from gateway.doors.web.people import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.network.follows import directory_pages
from gateway.network.people import statuses


@ROUTER.page("/menu")
def menu(visit: Visit) -> str:
    counts = directory_pages.count(visit.session, visit.account.id)
    status = statuses.find(visit.session, visit.account.id)
    return render(visit, "people/menu.html", counts=counts, status=status)
