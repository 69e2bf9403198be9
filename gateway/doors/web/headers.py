"""The headers of every answer of the web process, and its error pages; create_app installs both."""

import logging

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from gateway.settings import Settings

POLICY = "; ".join(
    [
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    ]
)
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
ONE_YEAR = "max-age=31536000"
WORDS = {
    403: ("Not for you", "This is only for those it was made for."),
    404: ("No such page", "There is nothing at this address. A link in a text or mail may have lost its end."),
    405: ("Not like that", "This address does not take that kind of request."),
    413: ("Too long", "That was more than this address takes."),
}
# The route exists, but the link's token opens nothing: the page does not tell whether it ever did.
DEAD_LINK = (
    "This link opens nothing",
    "It may have lost its end, or what it showed is gone or no longer for you. Open it once more from the text or mail"
    " that brought it.",
)
REFUSED = ("Not understood", "Your browser sent something that this address cannot read. Go back and try once more.")
UNWELL = ("One moment", "Something is wrong on our side. Nothing is lost; try again in a minute.")

log = logging.getLogger(__name__)


def strict_headers(settings: Settings) -> list[tuple[str, str]]:
    """The headers of every answer, besides the policy for what a page may load."""
    secure = {"Strict-Transport-Security": ONE_YEAR} if settings.public_url.startswith("https:") else {}
    return [*HEADERS.items(), *secure.items()]


def install(app: Flask, settings: Settings) -> None:
    """Sets strict headers on all answers, and error pages that never show what went wrong inside."""
    strict = strict_headers(settings)
    policy = policy_of(settings)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.extend(strict)
        response.headers.setdefault("Content-Security-Policy", policy)  # a page may set a policy of its own
        return response

    app.register_error_handler(HTTPException, _not_there)
    app.register_error_handler(Exception, _unwell)


def policy_of(settings: Settings) -> str:
    """Pages also listen to the stream, which may have an origin of its own."""
    return f"{POLICY}; connect-src 'self' {settings.stream_url}"


def _not_there(error: HTTPException) -> Response:
    code = error.code or 500
    title, text = _words(code)
    answer = Response(render_template("message.html", title=title, text=text), status=code)
    if code == 405:
        answer.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    return answer


def _words(code: int) -> tuple[str, str]:
    if code == 404 and request.url_rule and request.view_args:
        return DEAD_LINK
    return WORDS.get(code, UNWELL if code >= 500 else REFUSED)


def _unwell(error: Exception) -> Response:
    log.error("page not served: %s", request.url_rule, exc_info=error)
    return Response(render_template("message.html", title=UNWELL[0], text=UNWELL[1]), status=503)
