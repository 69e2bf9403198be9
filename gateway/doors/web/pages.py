"""The pages behind links in texts and mails: a post, and unsubscribing."""

from flask import Blueprint, Response, abort, make_response, render_template, request
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from gateway.doors.route_access import access
from gateway.doors.web import post_page
from gateway.network.mail import unsubscribe as unsubscribing
from gateway.network.mail.unsubscribe import Pair
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction

ONE_CLICK = ("List-Unsubscribe", "One-Click")


def blueprint(settings: Settings, signer: Signer, engine: Engine) -> Blueprint:
    """/p/TOKEN and /u/TOKEN. The token alone gives access: no cookie is read or set, so there is none to forge."""
    pages = Blueprint("pages", __name__, template_folder="templates")

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
            page = post_page.page(session, *ids)
        if page is None:
            abort(404)
        status = 410 if page.kind == "retracted" else 200
        media = signer.sign("media", *ids) if page.attached else None
        return _private(make_response(render_template("post.html", page=page, media=media), status))

    @pages.get("/u/<token>")
    @access("token")
    def ask_unsubscribe(token: str) -> Response:
        with transaction(engine) as session:
            ending = unsubscribing.pair(session, *_unsubscribe_ids(signer, token)) or abort(404)
        return _private(make_response(render_template("unsubscribe.html", ending=ending, done="asked")))

    @pages.post("/u/<token>")
    @access("token")
    def unsubscribe(token: str) -> Response:
        with transaction(engine) as session:
            ending = unsubscribing.pair(session, *_unsubscribe_ids(signer, token)) or abort(404)
            done, again = _act(session, signer, ending, request.form)
            others = unsubscribing.others(session, ending)
        page = render_template("unsubscribe.html", ending=ending, done=done, again=again, others=others)
        return _private(make_response(page, 400 if done == "asked" else 200))

    return pages


def _act(session: Session, signer: Signer, ending: Pair, form: MultiDict[str, str]) -> tuple[str, str]:
    """Acts on the form; returns what was done, and the token that takes it back. A mail program sends ONE_CLICK (RFC
    8058 3.1), and so does the page's button; a form that none of our pages sends does nothing."""
    wish = list(form.items(multi=True))
    if wish == [ONE_CLICK]:
        done = unsubscribing.end(session, ending)
        return done.how, unsubscribing.way_back(signer, ending, done)
    if len(wish) == 1 and wish[0][0] == "again":
        return "again" if unsubscribing.again(session, signer, ending, wish[0][1]) else "late", ""
    if wish == [("mails", "off")] and ending.is_mailbox:
        return "off", unsubscribing.switch_off(session, signer, ending)
    if len(wish) == 1 and wish[0][0] == "on":
        return "on" if unsubscribing.switch_on(session, signer, ending, wish[0][1]) else "late on", ""
    return "asked", ""


def _unsubscribe_ids(signer: Signer, token: str) -> tuple[int, int]:
    ids = signer.read("unsubscribe", token)
    return (ids[0], ids[1]) if ids is not None and len(ids) == 2 else abort(404)


def _private(answer: Response) -> Response:
    """Keeps a page out of caches: it is for one person's link only."""
    answer.headers["Cache-Control"] = "no-store"
    return answer
