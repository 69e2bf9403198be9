"""The pages: a post behind a short link, the end of a follow, and the front page of a live Critter."""

from flask import Blueprint, Response, abort, make_response, render_template
from sqlalchemy import Engine

from gateway.doors.access import access
from gateway.doors.web import links, unsubscribing
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.tokens import Signer


def blueprint(settings: Settings, signer: Signer, engine: Engine) -> Blueprint:
    """/p/TOKEN and /u/TOKEN. The token is the whole authority: no cookie is read or set, so there is none to forge."""
    pages = Blueprint("pages", __name__, template_folder="templates", static_folder="static", static_url_path="/static")

    @pages.app_context_processor
    def company() -> dict[str, str]:
        return {"company": settings.company}

    @pages.get("/p/<token>")
    @access("token")
    def post(token: str) -> Response:
        ids = signer.read("page", token)
        if ids is None or len(ids) != 2:
            abort(404)
        with transaction(engine) as session:
            page = links.page(session, *ids)
        if page is None:
            abort(404)
        status = 410 if page.kind == "retracted" else 200
        return _private(make_response(render_template("post.html", page=page), status))

    @pages.get("/u/<token>")
    @access("token")
    def ask_unsubscribe(token: str) -> Response:
        with transaction(engine) as session:
            ending = unsubscribing.pair(session, *_unsubscribe_ids(signer, token)) or abort(404)
        return _private(make_response(render_template("unsubscribe.html", ending=ending, done=False)))

    @pages.post("/u/<token>")
    @access("token")
    def unsubscribe(token: str) -> Response:
        with transaction(engine) as session:
            ending = unsubscribing.pair(session, *_unsubscribe_ids(signer, token)) or abort(404)
            unsubscribing.end(session, ending)
        return _private(make_response(render_template("unsubscribe.html", ending=ending, done=True)))

    return pages


def welcome(settings: Settings) -> Blueprint:
    """The front page when no tour stands there: what this is and how to join."""
    front = Blueprint("welcome", __name__)

    @front.get("/")
    @access("public")
    def index() -> str:
        number = settings.sms_numbers[0] if settings.sms and settings.sms_numbers else None
        mailbox = f"post@{settings.mail_domain}" if settings.mail else None
        return render_template("welcome.html", number=number, mailbox=mailbox)

    return front


def _unsubscribe_ids(signer: Signer, token: str) -> tuple[int, int]:
    ids = signer.read("unsubscribe", token)
    return (ids[0], ids[1]) if ids is not None and len(ids) == 2 else abort(404)


def _private(answer: Response) -> Response:
    """What one person's link shows is not for shared caches."""
    answer.headers["Cache-Control"] = "no-store"
    return answer
