"""HTTP for the checks of `critter check`, which run in no event loop. Errors are those of http.client, and OSError."""

import http.client
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

TIMEOUT: Final = 10.0  # seconds
MOST: Final = 4 * 1024 * 1024  # octets of an answer


def open_connection(url: str) -> http.client.HTTPConnection:
    """A connection to the host of a web address; it is opened by its first request."""
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    return kind(where.hostname or "", where.port, timeout=TIMEOUT)


def get(url: str, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body of what the host of `url` has at this path."""
    connection = open_connection(url)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read(MOST)
    finally:
        connection.close()


def shorten(error: Exception) -> str:
    """The reason, on one line."""
    return " ".join((str(error) or type(error).__name__).split())[:120]
