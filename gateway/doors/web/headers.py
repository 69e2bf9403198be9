"""The headers of every answer of the web process, and its error pages; create_app installs both."""

import gzip
import logging
import secrets
from collections.abc import Callable
from typing import Final

from flask import Flask, Response, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from gateway.doors.web.shell.content_policy import policy_of
from gateway.doors.web.shell.rendering import render_alone
from gateway.i18n.phrases import Phrase, say
from gateway.settings import Settings

HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
ONE_YEAR = "max-age=31536000"
WORDS: Final = {
    403: (say("Not for you"), say("This is only for those it was made for.")),
    404: (
        say("No such page"),
        say("There is nothing at this address. A link in a text or mail may have lost its end."),
    ),
    405: (say("Not like that"), say("This address does not take that kind of request.")),
    410: (say("It is gone"), say("What stood here was taken back.")),
    413: (say("Too long"), say("That was more than this address takes.")),
    429: (say("Too fast"), say("That was more than we take at once. Nothing was lost; wait a little.")),
}
# The route exists, but the link's token opens nothing: the page does not tell whether it ever did.
DEAD_LINK: Final = (
    say("This link opens nothing"),
    say(
        "It may have lost its end, or what it showed is gone or no longer for you. Open it once more from the text or "
        "mail that brought it."
    ),
)
REFUSED: Final = (
    say("Not understood"),
    say("Your browser sent something that this address cannot read. Go back and try once more."),
)
UNWELL: Final = (say("One moment"), say("Something is wrong on our side. Nothing is lost; try again in a minute."))
AWAY: Final = (
    say("We are back in a moment"),
    say("Critter is being looked after. Nothing is lost; this page looks again by itself every ten seconds."),
)
LOOK_AGAIN: Final = 10  # seconds
OtherAnswer = Callable[[Exception], Response | None]
PACKED: Final = 5  # a tenth larger than the smallest, in a third of the time

log = logging.getLogger(__name__)


def strict_headers(settings: Settings) -> list[tuple[str, str]]:
    """The headers of every answer, besides the policy for what a page may load."""
    secure = {"Strict-Transport-Security": ONE_YEAR} if settings.public_url.startswith("https:") else {}
    return [*HEADERS.items(), *secure.items()]


def install(app: Flask, settings: Settings, otherwise: OtherAnswer = lambda error: None) -> None:
    """Sets strict headers on all answers, and error pages that never show what went wrong inside. `otherwise`: answers
    an error where no page is asked for."""
    strict = strict_headers(settings)
    policy = policy_of(settings)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.extend(strict)
        response.headers.setdefault("Content-Security-Policy", policy)  # a page may set a policy of its own
        return _packed(response)

    @app.errorhandler(Exception)
    def answer(error: Exception) -> Response:
        return otherwise(error) or _error_page(settings, error)


def _error_page(settings: Settings, error: Exception) -> Response:
    match error:
        case HTTPException():
            return _not_there(settings, error)
        case OperationalError():
            return _away(settings, error)
    return _unwell(settings, error)


def _packed(answer: Response) -> Response:
    """What a phone loads counts. The token of the forms is covered anew each time, so packing gives nothing away."""
    wanted = "gzip" in request.headers.get("Accept-Encoding", "") and answer.mimetype == "text/html"
    if wanted and not answer.direct_passthrough and "Content-Encoding" not in answer.headers:
        answer.set_data(gzip.compress(answer.get_data(), PACKED))
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Vary"] = "Accept-Encoding"
    return answer


def _not_there(settings: Settings, error: HTTPException) -> Response:
    code = error.code or 500
    answer = _page(settings, code, _words(code))
    if code == 405:
        answer.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    return answer


def _words(code: int) -> tuple[Phrase, Phrase]:
    if code == 404 and request.url_rule and request.view_args:
        return DEAD_LINK
    return WORDS.get(code, UNWELL if code >= 500 else REFUSED)


def _away(settings: Settings, error: OperationalError) -> Response:
    """The database is away or being changed: whoever looks at a page sees it as soon as it is back."""
    log.error("page not served: %s", request.url_rule, exc_info=error)
    answer = _page(settings, 503, AWAY, "asleep.svg")
    answer.headers["Retry-After"] = str(LOOK_AGAIN)
    if request.method == "GET":
        answer.headers["Refresh"] = str(LOOK_AGAIN)
    return answer


def _unwell(settings: Settings, error: Exception) -> Response:
    """The number leads whoever runs this to the line in the log; nothing else of it is shown."""
    number = secrets.token_hex(4)
    log.error("page not served: %s, number %s", request.url_rule, number, exc_info=error)
    return _page(settings, 503, UNWELL, number=number)


def _page(
    settings: Settings, code: int, words: tuple[Phrase, Phrase], picture: str = "", number: str = ""
) -> Response:  # fmt: skip
    title, text = words
    picture = picture or ("lost.svg" if code in (404, 410) else "")
    page = render_alone(
        settings, "message.html", title=title, text=text, fault=number, still=code >= 500, picture=picture
    )  # fmt: skip
    return Response(page, status=code)
