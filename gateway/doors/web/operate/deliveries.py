"""Deliveries: what was sent to whom and how it stands, with filters and a search; and single ones tried again or put
away."""

from datetime import UTC, datetime
from typing import Final

from flask import Response

from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import Phrase, count, say
from gateway.network.inspect import delivery_list, delivery_search
from gateway.network.operating import dead_letter_actions

FILTERS: Final[dict[str, Phrase]] = {
    "": say("All"),
    "arrived": say("Arrived"),
    "going": say("On their way"),
    "again": say("Trying again"),
    "waiting": say("Waiting for their reader"),
    "doubt": say("In doubt"),
    "failed": say("Failed"),
    "cancelled": say("Not sent"),
}


@ROUTER.page("/operate/deliveries", "operator")
def deliveries(visit: Visit) -> str | Response:
    """`?q=`: the search; an id leads to its story. `?state=`: the filter; `?before=`: older ones."""
    words, state = visit.arg("q"), visit.arg("state")
    if row_id := delivery_search.find_id(words):
        return see_other(f"/operate/trace/{row_id}")
    now = datetime.now(UTC)
    wanted = delivery_search.parse(words, state if state in FILTERS else "", now, visit.account.zone_now)
    page = delivery_list.list_deliveries(visit.session, wanted, visit.arg("before", 40))
    return show(
        visit, "deliveries.html", page=page, words=words, state=state, wrong=wanted.wrong, filters=FILTERS,
        counts=_counts(visit), now=now,
    )  # fmt: skip


def _counts(visit: Visit) -> dict[str, int]:
    """For each filter; empty when there are too many to count them."""
    by_state = delivery_list.count_states(visit.session)
    if by_state is None:
        return {}
    return {
        name: sum(rows for state, rows in by_state.items() if not states or state in states)
        for name, states in delivery_search.STATES.items()
    }


@ROUTER.post("/operate/deliveries/<row_id>/retry", "operator")
def retry_delivery(visit: Visit, row_id: str) -> Response:
    queues, done = dead_letter_actions.retry_named(visit.session, [row_id], operator(visit))
    visit.queues |= queues
    visit.say(count("Put back: {count}. It leaves in its turn.", "Put back: {count}. They leave in turn.", done))
    return visit.back(f"/operate/trace/{row_id}")


@ROUTER.post("/operate/deliveries/<row_id>/drop", "operator")
def drop_delivery(visit: Visit, row_id: str) -> Response:
    done = dead_letter_actions.drop_named(visit.session, [row_id], operator(visit))
    visit.say(count("Put away: {count}. Nobody is told.", "Put away: {count}. Nobody is told.", done))
    return visit.back(f"/operate/trace/{row_id}")
