"""Apps that run in a browser under another address: they may ask everything here, for what they may is said by their
token alone. No cookie is ever sent along, so nobody else's session is lent (the Fetch standard, 3.3)."""

from secrets import token_hex
from typing import Final

from flask import Flask, Response, request

from gateway.doors.api.frame import errors

METHODS: Final = "GET, POST, PUT, PATCH, DELETE"
ASKED: Final = {
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "86400",
}
EXPOSED: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Link, X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, X-Request-Id, Idempotency-Key"
    ),
}


def install(app: Flask) -> None:
    @app.before_request
    def allow() -> Response | None:
        """A browser asks first, by OPTIONS and without a token."""
        if request.method == "OPTIONS" and errors.is_ours(request.path):
            return Response(status=204, headers=ASKED)
        return None

    @app.after_request
    def expose(response: Response) -> Response:
        if errors.is_ours(request.path):
            response.headers.update({**EXPOSED, "X-Request-Id": token_hex(8)})
        return response
