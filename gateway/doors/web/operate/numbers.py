"""Our numbers and the relay: what sends, what is paused and why; paused and resumed with a reason and an end; and the
breaker that stops updates."""

from datetime import timedelta
from typing import Final

from flask import Response
from werkzeug.exceptions import NotFound

from gateway.carriers.operator_advice import advice
from gateway.carriers.smtp.provider_profiles import provider_terms
from gateway.channels import EMAIL
from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import Phrase, say
from gateway.ledger.money import spend_breaker
from gateway.ledger.senders import relay_quota, sender_figures
from gateway.ledger.senders.pauses import MAIL, Paused
from gateway.network.operating import pausing
from gateway.network.operating.audit_reasons import LONGEST

SPANS: Final[dict[str, tuple[timedelta | None, Phrase]]] = {
    "30m": (timedelta(minutes=30), say("30 minutes")),
    "2h": (timedelta(hours=2), say("2 hours")),
    "8h": (timedelta(hours=8), say("8 hours")),
    "24h": (timedelta(hours=24), say("a day")),
    "": (None, say("until it is resumed")),
}
LEAVES: Final = {MAIL: (EMAIL,)}  # queues to wake when it is resumed


@ROUTER.page("/operate/numbers", "operator")
def numbers(visit: Visit) -> str:
    rows = pausing.list_senders(visit.session, visit.settings)
    steps = {row.id: advice(row.reason, row.carrier) for row in rows if row.paused}
    return show(
        visit, "numbers.html", rows=rows, steps=steps, spans=SPANS,
        figures=sender_figures.read_figures(visit.session), daily=_daily(visit),
        mails=relay_quota.today(visit.session), breaker=spend_breaker.state(visit.session),
    )  # fmt: skip


def _daily(visit: Visit) -> int | None:
    """How many mails the relay takes on a day; None without a limit."""
    return provider_terms(visit.settings).daily if visit.settings.mail else None


@ROUTER.post("/operate/numbers/<int:sender_id>/pause", "operator")
def pause_number(visit: Visit, sender_id: int) -> Response:
    row, (wait, words) = _row(visit, sender_id), SPANS.get(visit.form("for", 5), SPANS[""])
    pausing.pause(visit.session, visit.settings, row.number, wait, operator(visit), visit.form("reason", LONGEST))
    visit.say(say("{number} is paused: {span}. What is on its way already still goes.", number=row.number, span=words))
    return see_other("/operate/numbers")


@ROUTER.post("/operate/numbers/<int:sender_id>/resume", "operator")
def resume_number(visit: Visit, sender_id: int) -> Response:
    row = _row(visit, sender_id)
    pausing.resume(visit.session, visit.settings, row.number, operator(visit))
    visit.queues |= set(LEAVES.get(row.number, pausing.WAKES))
    visit.say(say("{number} sends again. What waited leaves within some seconds.", number=row.number))
    return see_other("/operate/numbers")


@ROUTER.post("/operate/breaker/resume", "operator")
def resume_updates(visit: Visit) -> Response:
    done = pausing.resume_updates(visit.session, operator(visit))
    visit.queues |= set(pausing.WAKES)
    visit.say(
        say("Updates go again. For an hour nothing stops them but the budgets.")
        if done
        else say("Nothing to resume: updates are not stopped.")
    )
    return visit.back("/operate/numbers")


def _row(visit: Visit, sender_id: int) -> Paused:
    """By its id, because a number stands in no address. The relay's is 0."""
    rows = pausing.list_senders(visit.session, visit.settings)
    found = next((row for row in rows if row.id == sender_id), None)
    if found is None:
        raise NotFound
    return found
