"""The settings as they are in force in this process, each with where it comes from; secrets are covered."""

from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import show
from gateway.doors.web.visits.visit import Visit
from gateway.settings import in_force


@ROUTER.page("/operate/settings", "operator")
def settings_in_force(visit: Visit) -> str:
    """`?q=`: those with these letters in their names."""
    words = visit.arg("q", 60)
    rows = [row for row in in_force.list_in_force(visit.settings) if words.upper() in row.name]
    return show(visit, "settings.html", rows=rows, words=words)
