"""Errors as clients read them: always JSON with the words under `error`, never a page."""

import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

from flask import Response, json, request
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

PLACES: Final = ("/api/", "/oauth/token", "/oauth/revoke", "/nodeinfo", "/.well-known/")
# The words are Mastodon's where there are such: clients compare them.
WORDS: Final[Mapping[int, str]] = {
    400: "Bad request",
    401: "The access token is invalid",
    403: "This action is not allowed",
    404: "Record not found",
    405: "This address does not take that kind of request",
    410: "It is gone",
    413: "That was more than this address takes",
    415: "That kind of content is not read here",
    422: "Validation failed",
    429: "Too many requests",
    500: "Something is wrong on our side. Nothing is lost; try again in a minute",
    503: "Critter is being looked after. Nothing is lost; try again in a minute",
}
AWAY: Final = 10  # seconds until a client may ask again

log = logging.getLogger(__name__)


class ApiError(Exception):
    """What is answered instead; `more`: further keys beside `error`."""

    def __init__(self, status: int, words: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(words)
        self.status, self.words, self.headers, self.more = status, words or WORDS[status], headers or {}, more


def is_ours(path: str) -> bool:
    """Whether programs ask at this address, so that errors there are no pages."""
    return path.startswith(PLACES)


def answer(status: int, words: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    body = json.dumps({"error": words or WORDS.get(status, WORDS[500 if status >= 500 else 400]), **more})
    return Response(body, status, headers or {}, content_type="application/json; charset=utf-8")


def of_uncaught(error: Exception) -> Response | None:
    """The answer for an error that nobody has caught; None when it is for a page."""
    return of(error) if is_ours(request.path) else None


def of(error: Exception) -> Response:
    if isinstance(error, ApiError):
        return answer(error.status, error.words, error.headers, **error.more)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, OperationalError):
        log.error("call not answered: %s", request.url_rule, exc_info=error)
        return answer(503, headers={"Retry-After": str(AWAY)})
    number = secrets.token_hex(4)
    log.error("call not answered: %s, number %s", request.url_rule, number, exc_info=error)
    return answer(500, number=number)


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    given = status == 400 and type(error).description != error.description
    found = answer(status, str(error.description) if given else "")
    if status == 405:
        found.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    return found


def of_parameters(error: ValidationError) -> Response:
    """Which parameter cannot be taken, and why. What was given is not repeated: it may be a secret."""
    wrong = error.errors(include_url=False, include_input=False, include_context=False)
    details: dict[str, list[dict[str, str]]] = {}
    for one in wrong:
        name = ".".join(str(each) for each in one["loc"]) or "parameters"
        details.setdefault(name, []).append({"error": one["type"], "description": one["msg"]})
    first, words = next((name, each[0]["description"]) for name, each in details.items())
    return answer(422, f"Validation failed: {first}: {words}", details=details)
