"""The doctor: each thing that Critter needs is tested now, and what is wrong is said with the setting and the fix, as
`critter check` does."""

import time

from sqlalchemy import text

from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import show
from gateway.doors.web.visits.visit import Visit


@ROUTER.page("/operate/check", "operator")
def doctor(visit: Visit) -> str:
    """Nothing is sent by it, and nothing changes."""
    began, rows = time.perf_counter(), []
    for row in visit.web.tools.check(visit.settings) if visit.web.tools else ():
        rows.append(row)
        visit.session.execute(text("SELECT 1"))  # the page's transaction may not idle while the outside is asked
    wrong = sum(row.state == "wrong" for row in rows)
    return show(visit, "check.html", rows=rows, wrong=wrong, seconds=time.perf_counter() - began)
