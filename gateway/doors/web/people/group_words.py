"""What is written in a group: an update, a question whose answers come privately, an urgent call; and ending those."""

from flask import Response, request
from werkzeug.exceptions import BadRequest

from gateway.actions import ending_calls, group_questions, urgent_calls
from gateway.actions.urgent_calls import SentCall
from gateway.doors.web.people import ROUTER, named, pin_proof
from gateway.doors.web.visits.visit import CONFIRMED, Visit, see_other
from gateway.doors.web.writing import updates
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.language.model.reading import NamedAccount
from gateway.network.people.directory import find_named
from gateway.network.web import web_drafts


@ROUTER.post("/@<handle>/write")
def write(visit: Visit, handle: str) -> Response:
    """`kind`: update, ask, urgent."""
    group = find_named(named.group(visit, handle))
    match visit.form("kind", 10):
        case "update":
            return updates.write(visit)
        case "ask":
            return _ask(visit, group)
        case "urgent":
            return _urgent(visit, group)
    raise BadRequest


def _ask(visit: Visit, group: NamedAccount) -> Response:
    asked = visit.do(group_questions.ask_group, group, visit.form("text"))
    whom = count("Asked {count} in {group}.", "Asked {count} in {group}.", asked.people, group=group.name)
    till = say("Answers come privately till {time}.", time=named.local(visit, asked.ends_at))
    return _sent(visit, group, joined([whom, till]))


def _urgent(visit: Visit, group: NamedAccount) -> Response:
    """Asked about once, with how many and what it costs, and with the PIN of who has one."""
    refused = pin_proof.refuse_unproved(visit, request.form.getlist(CONFIRMED))
    if refused:
        return refused
    return _sent(visit, group, _called(visit, visit.do(urgent_calls.send_urgent, group, visit.form("text"))))


def _called(visit: Visit, sent: SentCall) -> Phrase:
    told = count("{count} person is called.", "{count} people are called.", sent.told)
    missed = len(sent.unreached)
    unreached = count("{count} cannot be reached.", "{count} cannot be reached.", missed) if missed else ""
    return joined([told, unreached, say("It ends at {time}.", time=named.local(visit, sent.ends_at))])


def _sent(visit: Visit, group: NamedAccount, told: Phrase) -> Response:
    web_drafts.forget(visit.session, visit.account.id, f"in:{group.id}")
    visit.say(told, undo=True)
    return see_other(f"/@{group.handle}")


@ROUTER.post("/@<handle>/end")
def end(visit: Visit, handle: str) -> Response:
    """The question or the urgent call of the person themselves that runs here."""
    group = find_named(named.group(visit, handle))
    ended = visit.do(ending_calls.end_call, group)
    if ended.kind == "ask":
        visit.say(say("Your question is over, and its summary goes out."))
    else:
        visit.say(say("Your urgent call is over."))
    return visit.back(f"/@{group.handle}")
