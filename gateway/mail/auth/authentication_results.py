"""Reads Authentication-Results (RFC 8601) that our own mail server wrote, above all for DMARC. sender_trust asks."""

import re
from collections.abc import Collection
from email.message import Message
from typing import Any, Final, NamedTuple

from gateway.mail.auth.public_suffix import aligned
from gateway.mail.decode import mime

LONGEST: Final = 20_000  # characters of one field that are read
_WORD: Final = r"[^\s()<>@,;:\\\"/\[\]?=]+"  # RFC 2045
_VALUE: Final = re.compile(r"[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\"]+))")
_METHOD: Final = re.compile(rf"({_WORD})(?:\s*/\s*\d+)?\s*=\s*({_WORD})", re.DOTALL)
_PROPERTY: Final = re.compile(rf"\s+({_WORD}(?:\s*\.\s*{_WORD})?)\s*=\s*")  # also reason=, and Exchange's action=
_ID: Final = re.compile(rf"\s*(?:\"((?:[^\"\\]|\\.)*)\"|({_WORD}))(?:\s+(\d+))?\s*(?:;|$)")


class Result(NamedTuple):
    """The result of one method: "dmarc", "pass", and its properties, such as header.from."""

    method: str
    result: str
    properties: dict[str, str]


def ours(message: "Message[Any, Any]", ids: Collection[str]) -> list[Result] | None:
    """The results in the topmost field of one of our own servers; None when there is none. All other fields are
    ignored, whoever wrote them, and so is a field that cannot be read."""
    for value in mime.fields(message, "Authentication-Results"):
        if (said := _of_ours(value, ids)) is not None:
            return said
    return None


def _of_ours(value: str, ids: Collection[str]) -> list[Result] | None:
    """The results in one field; None when it is not of one of our servers, or cannot be read."""
    bare = _without_comments(value) if len(value) <= LONGEST else None
    named = _ID.match(bare) if bare is not None else None
    if bare is None or named is None:
        return None
    if (named[1] if named[1] is not None else named[2]).lower() not in ids:
        return None
    return _results(bare[named.end() :]) if (named[3] or "1") == "1" else []


def dmarc_passes(results: Collection[Result], domain: str) -> bool:
    """Whether a DMARC result says pass for this domain in From. Two that differ do not count."""
    said = [result for result in results if result.method == "dmarc"]
    return bool(said) and all(
        one.result == "pass" and one.properties.get("header.from", "").rpartition("@")[2].lower() == domain
        for one in said
    )


def above_received(message: "Message[Any, Any]", ids: Collection[str]) -> list[Result]:
    """The results in all fields of our own servers above the first Received. Nobody outside can write there, because
    each server puts its Received above what it was sent. Each milter writes its own field, and only one is the
    topmost."""
    said: list[Result] = []
    for value in mime.above(message, "Authentication-Results", "Received"):
        said += _of_ours(value, ids) or []
    return said


def spf_passes(results: Collection[Result], domain: str) -> bool:
    """Whether SPF says pass for an envelope sender in the organisation of this domain. Two that differ do not count."""
    said = [result for result in results if result.method == "spf" and "smtp.mailfrom" in result.properties]
    return bool(said) and all(
        one.result == "pass" and aligned(one.properties["smtp.mailfrom"].rpartition("@")[2], domain) for one in said
    )


def dkim_passes(results: Collection[Result], domain: str) -> bool:
    """Whether the results say that a signature of this domain's organisation is valid."""
    return any(
        one.method == "dkim"
        and one.result == "pass"
        and aligned((one.properties.get("header.d") or one.properties.get("header.i", "")).rpartition("@")[2], domain)
        for one in results
    )


def _without_comments(value: str) -> str | None:
    """Removes comments, which may nest almost anywhere except in quotes (RFC 5322, 3.2.2). None when one never ends."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for letter in value:
        if escaped:
            escaped = False
        elif letter == "\\" and (quoted or depth):
            escaped = True
        elif letter == '"' and not depth:
            quoted = not quoted
        elif letter == "(" and not quoted:
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(letter)
    return None if depth or quoted else "".join(kept)


def _results(text: str) -> list[Result]:
    return [found for piece in _pieces(text) if (found := _result(piece.strip()))]


def _pieces(text: str) -> list[str]:
    """Split at semicolons that are not quoted."""
    return re.findall(r"(?:\"(?:[^\"\\]|\\.)*\"|[^;\"])+", text)


def _result(piece: str) -> Result | None:
    """One result; None when it is incomplete, because half a result must not count."""
    method = _METHOD.match(piece)
    if method is None:
        return None
    properties: dict[str, str] = {}
    at = method.end()
    while at < len(piece):
        named = _PROPERTY.match(piece, at)
        value = _VALUE.match(piece, named.end()) if named else None
        if named is None or value is None:
            return None if piece[at:].strip() else Result(method[1].lower(), method[2].lower(), properties)
        properties["".join(named[1].split()).lower()] = value[1] if value[1] is not None else value[2]
        at = value.end()
    return Result(method[1].lower(), method[2].lower(), properties)
