"""Yes and no to texts: texts that may be a no, which an operator decides, and every yes and no as it was said."""

from typing import Final

from flask import Response

from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import say
from gateway.ledger.audit import audit_log
from gateway.network.inspect import public_words
from gateway.network.operating import flagged_texts
from gateway.network.people import consent
from gateway.store.tables import Inbound

PAGE: Final = 50


@ROUTER.page("/operate/consent", "operator")
def yes_and_no(visit: Visit) -> str:
    return _page(visit)


def _page(visit: Visit, asked: int = 0, words: str | None = None) -> str:
    before = visit.number("before")
    rows = consent.list_newest(visit.session, before, PAGE + 1)
    flagged = consent.list_flagged(visit.session) if before is None else []
    older = rows[PAGE - 1].id if len(rows) > PAGE else None
    return show(visit, "consent.html", rows=rows[:PAGE], older=older, flagged=flagged, asked=asked, words=words)


@ROUTER.post("/operate/consent/<int:inbound_id>/words", "operator")
def show_flagged_words(visit: Visit, inbound_id: int) -> str:
    row = consent.read_one(visit.session, inbound_id)
    words = public_words.of_input(visit.session, visit.session.get_one(Inbound, row.inbound_id))
    audit_log.record(visit.session, operator(visit), "consent.show", inbound_id, {"whom": row.handle})
    return _page(visit, inbound_id, words)


@ROUTER.post("/operate/consent/<int:inbound_id>/stop", "operator")
def stop_texts(visit: Visit, inbound_id: int) -> Response:
    first = flagged_texts.stop(visit.session, inbound_id, operator(visit))
    visit.say(say("Opted out. START from that phone brings texts back.") if first else say("It was opted out already."))
    return see_other("/operate/consent")


@ROUTER.post("/operate/consent/<int:inbound_id>/dismiss", "operator")
def dismiss_flag(visit: Visit, inbound_id: int) -> Response:
    closed = flagged_texts.dismiss(visit.session, inbound_id, operator(visit))
    visit.say(say("Closed. Nothing changes for that phone.") if closed else say("It was closed already."))
    return see_other("/operate/consent")
