"""What failed for good, by its reason: what the code means, what to do, and all of one reason tried again or put
away. How many that is is said before it is done."""

from datetime import datetime
from typing import Final, NamedTuple

from flask import Response
from werkzeug.exceptions import NotFound

from gateway.carriers.operator_advice import advice
from gateway.channels import NAMES, PUSH, SMS
from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, count, say
from gateway.ledger.operations import dead_letters
from gateway.ledger.operations.dead_letters import DeadLetterCount, DeadLetterFilter
from gateway.mail.bounces import failure_reasons
from gateway.network.operating import dead_letter_actions
from gateway.network.operating.dead_letter_actions import DROP, RETRY

SHOWN: Final = 20  # of the newest
ACTIONS: Final = {"retry": RETRY, "drop": DROP}
NEXT_STEPS: Final = {
    "21211": say("Ask for the right number, and link it to its owner."),
    "21614": say("It is no mobile phone: ask for another number."),
    "21408": say("Allow the country in Twilio’s console and in CRITTER_SMS_COUNTRIES."),
    "30003": say("The phone was off. Try again when it may be on."),
    "30004": say("Its owner or their carrier blocks us: ask them."),
    "30005": say("Ask its owner for a number that works."),
    "30006": say("It is a landline: ask its owner for a mobile number."),
    "30007": say("A carrier took it for spam: write it in other words."),
    "no_route": say("Add a number that may text there (CRITTER_SMS_ROUTES)."),
    "gave_up": say("It waited too long. Try again once texts flow."),
    "quarantined": say("Mend the cause that the log names first; then try again."),
    "rendering": say("It could not be put into words: the log says why."),
    "suspended": say("Its owner must confirm the phone first."),
}


class DeadGroup(NamedTuple):
    """All that ended for the same reason. `meaning`: of the code; `step`: what to do about it."""

    row: DeadLetterCount
    reason: str  # by which it is named in addresses
    meaning: str
    step: str


@ROUTER.page("/operate/undelivered", "operator")
def undelivered(visit: Visit) -> str:
    groups = [_group(row) for row in dead_letters.counts(visit.session, DeadLetterFilter())]
    newest = dead_letters.list_dead(visit.session, DeadLetterFilter(), SHOWN)
    return show(visit, "undelivered.html", groups=groups, newest=newest, noun_of=noun_of)


def _group(row: DeadLetterCount) -> DeadGroup:
    reason = "quarantined" if row.kind == "input" else row.reason or row.state
    meaning = failure_reasons.describe_failure(row.state, row.reason, row.channel)
    if row.kind == "input":
        meaning = say("it ended three workers")
    step = advice(row.reason) or NEXT_STEPS.get(reason) or say("Try it again when the cause is over.")
    return DeadGroup(row, reason, meaning, step)


@ROUTER.page("/operate/undelivered/<act>", "operator")
def ask_undelivered(visit: Visit, act: str) -> str:
    """`?reason=&channel=`: which. It says how many before anything is done."""
    if act not in ACTIONS:
        raise NotFound
    which = dead_letters.freeze_filter(visit.session, _which(visit.arg("reason", 40), visit.arg("channel", 10)))
    rows = sum(one.rows for one in dead_letters.counts(visit.session, which))
    return show(visit, "undelivered_ask.html", act=act, which=which, rows=rows)


@ROUTER.post("/operate/undelivered/<act>", "operator")
def do_undelivered(visit: Visit, act: str) -> Response:
    """Works in batches, each with its line in the audit, as the command does."""
    if act not in ACTIONS:
        raise NotFound
    asked = _which(visit.form("reason", 40), visit.form("channel", 10), visit.form("until", 40))
    queues, done = dead_letter_actions.apply_to_many(visit.web.engine, asked, ACTIONS[act], operator(visit))
    visit.queues |= queues
    visit.say(_done(act, done))
    return see_other("/operate/undelivered")


def _which(reason: str, channel: str, until: str = "") -> DeadLetterFilter:
    if not reason or channel not in ("", *NAMES):
        raise Refused(say("Say which: open this from the list of reasons."))
    try:
        end = datetime.fromisoformat(until) if until else None
    except ValueError:
        raise Refused(say("Say which: open this from the list of reasons.")) from None
    return DeadLetterFilter(reason, channel or None, None, end)


def _done(act: str, done: int) -> Phrase:
    if act == "retry":
        return count("Put back: {count}. It leaves in its turn.", "Put back: {count}. They leave in turn.", done)
    return count("Put away: {count}. Nobody is told.", "Put away: {count}. Nobody is told.", done)


def noun_of(row: DeadLetterCount) -> Phrase:
    """3 texts, 1 mail, 2 inputs."""
    if row.kind == "input":
        return count("{count} input", "{count} inputs", row.rows)
    if row.channel == SMS:
        return count("{count} text", "{count} texts", row.rows)
    if row.channel == PUSH:
        return count("{count} push", "{count} pushes", row.rows)
    return count("{count} mail", "{count} mails", row.rows)
