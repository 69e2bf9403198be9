"""The media of a post: a page behind the link that each reader got, and its files. critter/processes/app registers
it."""

from flask import Blueprint, Response, abort, make_response, render_template
from sqlalchemy import Engine

from gateway.attention.zones import zone
from gateway.doors.route_access import access
from gateway.doors.web.post_page import pieces
from gateway.doors.web.shell.stored_files import send_stored
from gateway.network.posts import post_media
from gateway.network.posts.post_media import File, PostMedia
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction


def blueprint(settings: Settings, signer: Signer, engine: Engine) -> Blueprint:
    """/m/TOKEN names a post and the address that the link went to, whose owner must still be able to read the post."""
    media = Blueprint("media", __name__, template_folder="templates")

    def hanging(token: str) -> PostMedia:
        ids = signer.read("media", token)
        if ids is None or len(ids) != 2:
            abort(404)
        with transaction(engine) as session:
            return post_media.of_post(session, *ids) or abort(404)

    def one(token: str, number: int) -> File:
        return next((each for each in hanging(token).files if each.number == number), None) or abort(404)

    @media.get("/m/<token>")
    @access("token")
    def show(token: str) -> Response:
        found = hanging(token)
        at = found.at.astimezone(zone(found.timezone))
        page = render_template("media.html", page=found, at=at, pieces=list(pieces(found.text)), token=token)
        answer = make_response(page)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @media.get("/m/<token>/<int:number>")
    @access("token")
    def file(token: str, number: int) -> Response:
        found = one(token, number)
        return send_stored(settings.var, found.name, found.digest, found.type)

    @media.get("/m/<token>/<int:number>/small")
    @access("token")
    def small(token: str, number: int) -> Response:
        found = one(token, number)
        if not found.picture:
            abort(404)
        return send_stored(settings.var, found.name, found.small or found.digest, None if found.small else found.type)

    return media
