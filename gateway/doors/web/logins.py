"""/login/TOKEN: the one-use link that `login` sends by text or mail (R38). Opening the page does not use it up."""

from flask import Blueprint, Response, make_response, render_template
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gateway.doors.route_access import access
from gateway.errors import Refused
from gateway.i18n.phrases import translated
from gateway.network.verification import codes
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Account

STATUS = {"unknown": 404, "ended": 410, "open": 200}


def blueprint(settings: Settings, signer: Signer, engine: Engine) -> Blueprint:
    """GET and POST /login/TOKEN. No session begins and no cookie is set: the page itself is all that one gets."""
    logins = Blueprint("logins", __name__, template_folder="templates")

    @logins.get("/login/<token>")
    @access("token")
    def ask(token: str) -> Response:
        with transaction(engine) as session:
            state = codes.login_state(session, signer, token)
        return _page(STATUS[state], state=state)

    @logins.post("/login/<token>")
    @access("token")
    def enter(token: str) -> Response:
        with transaction(engine) as session:
            person = codes.complete_login(session, signer, token)
            if person is None:
                state = codes.login_state(session, signer, token)
                return _page(STATUS[state], state=state)
            shown = {"name": person.name, "handle": person.handle, **_code(session, signer, person)}
        number = settings.sms_numbers[0] if settings.sms and settings.sms_numbers else None
        mailbox = f"post@{settings.mail_domain}" if settings.mail else None
        return _page(200, state="in", number=number, mailbox=mailbox, **shown)

    return logins


def _code(session: Session, signer: Signer, person: Account) -> dict[str, str]:
    """Returns a fresh link code, or the reason why there is none today."""
    try:
        return {"code": codes.link(session, signer, person.id)}
    except Refused as refused:
        return {"refused": translated(refused.text, person.language)}


def _page(status: int, **shown: str | None) -> Response:
    answer = make_response(render_template("login.html", **shown), status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
