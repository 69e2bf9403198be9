"""Reads the requests of the fast path: a POST with a plain path and a few plain headers, as carriers send it. Pure.

Whatever is written in another way is None here and read by gunicorn's own parser, so this one may be strict and short.
"""

import re
from typing import Final

from gateway.doors.sms.hook_fast_path import PlainRequest

LINE: Final = re.compile(rb"POST (/[A-Za-z0-9_.~/-]{1,1000}) HTTP/1\.1")
HEADER: Final = re.compile(rb"([A-Za-z0-9-]{1,60}): ?([\x21-\x7e](?:[\x20-\x7e]{0,2000}[\x21-\x7e])?)")
MOST: Final = 40  # headers
UNUSUAL: Final = frozenset({"transfer-encoding", "expect", "upgrade", "trailer"})


def parse(raw: bytes) -> PlainRequest | None:
    """Reads one whole request, which http_requests.Framing has found."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n", MOST + 1)
    target = LINE.fullmatch(first)
    if target is None or len(lines) > MOST:
        return None
    headers = _headers(lines)
    if headers is None or headers.get("content-length") != str(len(body)) or not headers.keys().isdisjoint(UNUSUAL):
        return None
    return PlainRequest(target[1].decode(), headers, body)


def keeps_open(request: PlainRequest) -> bool:
    """Whether the client may send another request on this connection."""
    return request.headers.get("connection", "keep-alive").lower() == "keep-alive"


def _headers(lines: list[bytes]) -> dict[str, str] | None:
    """The headers, if each is plain and there only once."""
    found: dict[str, str] = {}
    for line in lines:
        header = HEADER.fullmatch(line)
        if header is None:
            return None
        found[header[1].decode().lower()] = header[2].decode()
    return found if len(found) == len(lines) and "host" in found else None
