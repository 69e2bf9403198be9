"""What people reported to the operators: who, whom, about what. Private words are never shown here."""

from flask import Response

from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import say
from gateway.ledger.audit import audit_log
from gateway.network.inspect import abuse_reports, public_words
from gateway.network.inspect.id_lookup import LookupResult
from gateway.network.operating import reports


@ROUTER.page("/operate/reports", "operator")
def list_reports(visit: Visit) -> str:
    """`?all=1`: the closed ones too."""
    return _page(visit)


def _page(visit: Visit, asked: int = 0, words: str | None = None) -> str:
    everything = bool(visit.arg("all"))
    rows = abuse_reports.list_open(visit.session, everything=everything)
    return show(visit, "reports.html", rows=rows, everything=everything, asked=asked, words=words)


@ROUTER.post("/operate/reports/<int:report_id>/words", "operator")
def show_reported_words(visit: Visit, report_id: int) -> str:
    row = abuse_reports.read_one(visit.session, report_id)
    found = public_words.of_posts(visit.session, LookupResult("post", post_id=row.post_id)) if row.post_id else ()
    audit_log.record(
        visit.session, operator(visit), "reports.show", report_id, {"by": row.reporter, "whom": row.reported}
    )
    return _page(visit, report_id, found[0].text if found else None)


@ROUTER.post("/operate/reports/<int:report_id>/close", "operator")
def close_report(visit: Visit, report_id: int) -> Response:
    closed = reports.close(visit.session, report_id, operator(visit))
    visit.say(say("Closed. Nobody is told.") if closed else say("It was closed already."))
    return see_other("/operate/reports")
