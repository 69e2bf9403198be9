"""How large the body of a request may be. Nearly all are small; a view that takes files says how much it takes, and the
web server asks before it reads more than SMALL."""

from collections.abc import Callable
from typing import Any, Final

from flask import Flask
from werkzeug.exceptions import HTTPException

SMALL: Final = 64 * 1024  # octets: web hooks and forms
FORM: Final = 64 * 1024  # octets beside the files
LongestOf = Callable[[bytes], int]


def allow(view: Callable[..., Any], files: int) -> None:
    """Declares that this view takes files of so many octets together."""
    vars(view)["largest_body"] = files + FORM


def limit_of(app: Flask) -> LongestOf:
    """A function that says how many octets the body may have behind this head of a request."""
    urls = app.url_map.bind("")

    def limit(head: bytes) -> int:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        try:
            endpoint, _ = urls.match(path.decode("ascii"), method.decode("ascii"))
        except (HTTPException, UnicodeDecodeError):
            return SMALL
        return _largest(app.view_functions[endpoint])

    return limit


def largest_of(app: Flask) -> int:
    """The largest body that any view takes."""
    return max(_largest(view) for view in app.view_functions.values())


def _largest(view: Callable[..., Any]) -> int:
    largest: int = getattr(view, "largest_body", SMALL)
    return largest
