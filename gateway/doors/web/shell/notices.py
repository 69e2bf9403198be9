"""The pages that say what cannot be done, or what must be confirmed first."""

from urllib.parse import quote

from flask import Response, make_response, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, NotFound

from gateway.actions.model.confirmation import ConfirmationRequired
from gateway.doors.web.shell import questions, rendering
from gateway.doors.web.visits.visit import CONFIRMED, UPLOAD, Visit, here, see_other
from gateway.errors import Refused
from gateway.network.web import web_drafts

KEPT_OUT = ("csrf", "pin", CONFIRMED)


def refused(visit: Visit, why: Refused) -> Response:
    """One sentence, the same that a text would get, and the way back. What was typed is there again: words of an update
    are kept as a draft."""
    _keep_words(visit)
    page = rendering.render(visit, "shell/refused.html", text=why.text, back=_back())
    return make_response(page, 422)


def confirm(visit: Visit, asked: ConfirmationRequired) -> Response:
    """The question with its facts. Its form is the same once more, with what is confirmed."""
    _keep_words(visit)
    kept = [(name, value) for name, value in [*_fields(request.args), *_fields(request.form)]]
    kept = [(name, value) for name, value in kept if name not in KEPT_OUT]
    kept += [(UPLOAD, str(each)) for each in visit.uploads]
    gives = [*request.form.getlist(CONFIRMED), *sorted(asked.gives)]
    question = questions.word(asked.kind, asked.facts, visit.account.zone_now)
    page = rendering.render(
        visit, "shell/confirm.html", kept=kept, gives=gives, question=question, back=_back(), **_pin(visit, asked)
    )
    return make_response(page, 409)


def _pin(visit: Visit, asked: ConfirmationRequired) -> dict[str, bool]:
    """An urgent call wakes people: who has a PIN is asked for it, and it is never kept in a page."""
    urgent = asked.kind == "urgent_call" or (asked.kind == "repeat" and request.form.get("kind") == "urgent")
    return {"asks_pin": urgent and visit.account.pin != "none"}


def _keep_words(visit: Visit) -> None:
    audience, words = visit.form("audience", 40), visit.form("text")
    if visit.viewer and audience and words:
        web_drafts.keep(visit.session, visit.account.id, audience, words)


def _back() -> str:
    return here(request.form.get("back", ""))


def _fields(form: MultiDict[str, str]) -> list[tuple[str, str]]:
    return list(form.items(multi=True))


def out_of_reach(visit: Visit, error: HTTPException) -> Response:
    """404 and 403, each in one way: what is not there, what was taken back and what one may not know of look alike."""
    template = "shell/not_found.html" if isinstance(error, NotFound) else "shell/not_for_you.html"
    return make_response(rendering.render(visit, template), error.code or 404)


def sign_in_first(visit: Visit) -> Response:
    """Where the visitor wanted to go is kept in the address. A form that was sent meanwhile is not: its words are kept
    as a draft."""
    if request.method == "GET":
        path = request.full_path.rstrip("?")
        return see_other("/sign-in" if path == "/" else f"/sign-in?to={quote(path)}")
    return make_response(rendering.render(visit, "shell/signed_out.html"), 401)


def form_of_another_page(visit: Visit) -> Response:
    return make_response(rendering.render(visit, "shell/old_form.html"), 403)
