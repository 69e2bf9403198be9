"""The pictures that stand for people and groups in apps. They are drawn from the number in their address and nothing
else, whether there is such an account or not, so anybody may ask and browsers keep them for ever."""

from typing import Final

from flask import Blueprint, Response, request

from gateway.doors.route_access import access
from gateway.files import portraits

FOR_EVER: Final = "public, max-age=31536000, immutable"


def portrait_path(account_id: int, *, group: bool) -> str:
    return f"/portraits/{'groups' if group else 'people'}/{account_id}.png"


def header_path(account_id: int) -> str:
    return f"/portraits/headers/{portraits.tint(account_id)}.png"


def blueprint() -> Blueprint:
    pictures = Blueprint("portraits", __name__)

    @pictures.get("/portraits/people/<id:number>.png")
    @access("public")
    def person(number: int) -> Response:
        return _picture(portraits.draw_person(number))

    @pictures.get("/portraits/groups/<id:number>.png")
    @access("public")
    def group(number: int) -> Response:
        return _picture(portraits.draw_group(number))

    @pictures.get("/portraits/headers/<id:number>.png")
    @access("public")
    def header(number: int) -> Response:
        return _picture(portraits.draw_header(number % len(portraits.TINTS)))

    return pictures


def _picture(content: bytes) -> Response:
    """Apps in a browser under another address show it, too."""
    answer = Response(content, content_type="image/png")
    answer.headers["Cache-Control"] = FOR_EVER
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
