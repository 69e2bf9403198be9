"""/login/TOKEN: the one-use link that `login` sends by text or mail (R38). Opening the page does not use it up; its
button signs in, and shows the code by which another phone or mailbox is added."""

from typing import Final

from flask import Response, make_response

from gateway.doors.web.shell.rendering import render, render_in
from gateway.doors.web.sign_in import ROUTER, put_session
from gateway.doors.web.sign_in.code import refuse_many
from gateway.doors.web.visits.visit import Visit
from gateway.errors import Refused
from gateway.network.verification import codes

STATUS: Final = {"unknown": 404, "ended": 410, "open": 200}


@ROUTER.page("/login/<token>", "visitor")
def ask_link(visit: Visit, token: str) -> Response:
    return _page(visit, token)


@ROUTER.post("/login/<token>", "visitor")
def enter_by_link(visit: Visit, token: str) -> Response:
    if refused := refuse_many(visit):
        return refused
    person = codes.complete_login(visit.session, visit.web.signer, token)
    if person is None:
        return _page(visit, token)
    code, wrong = "", ""
    try:
        code = codes.link(visit.session, visit.web.signer, person.id)
    except Refused as many:
        wrong = many.text
    shown = {"state": "in", "person": person, "code": code, "refused": wrong}
    answer = make_response(render_in(visit, "sign_in/login_link.html", person.language, **shown))
    put_session(visit, person, "link", answer)
    return answer


def _page(visit: Visit, token: str) -> Response:
    state = codes.login_state(visit.session, visit.web.signer, token)
    page = render(visit, "sign_in/login_link.html", state=state, person=None, code="", refused="")
    return make_response(page, STATUS[state])
