"""What a call gives, from wherever it stands: the address, a form, a form with files, or JSON. Clients differ in that,
and one of them must not fail for it; `x[]`, `a[b]` and `poll[options][]` in names make lists and parts, as in JSON."""

import json
from collections.abc import Iterable
from typing import Any, Final

from flask import Request
from werkzeug.exceptions import BadRequest

DEEPEST: Final = 8
MOST_NAMES: Final = 300  # parameters of one call
LONGEST_LIST: Final = 300
JSON: Final = "application/json"
TOO_MUCH: Final = "The parameters are too many or too deep"

Nested = dict[str, Any]


def read(asked: Request) -> Nested:
    """All parameters of a call as JSON would have them; what stands in the body counts more. Raises BadRequest."""
    given = nest([*asked.args.items(multi=True), *asked.form.items(multi=True), *asked.files.items(multi=True)])
    if asked.mimetype == JSON or asked.mimetype.endswith("+json"):
        given |= _read_json(asked)
    _check(given)
    return given


def _read_json(asked: Request) -> Nested:
    octets = asked.get_data()
    if not octets.strip():
        return {}  # a DELETE that has nothing to say
    try:
        found = json.loads(octets)
    except (ValueError, RecursionError):
        raise BadRequest("The JSON cannot be read") from None
    if not isinstance(found, dict):
        raise BadRequest("The JSON must be an object")
    return found


def _check(value: Any, depth: int = 1) -> None:
    """Words that the database could not keep (a zero, half a character) are refused before anybody sees them."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            raise BadRequest("The parameters have characters that are no text")
    elif isinstance(value, (dict, list)):
        if depth > DEEPEST or len(value) > LONGEST_LIST:
            raise BadRequest(TOO_MUCH)
        for each in (*value, *value.values()) if isinstance(value, dict) else value:
            _check(each, depth + 1)


def nest(pairs: Iterable[tuple[str, Any]]) -> Nested:
    """Parts of a form by their names: `a[b]` is a part of a, `x[]` one more of a list. Of a plain name the last
    counts. Raises BadRequest."""
    found: Nested = {}
    for number, (name, value) in enumerate(pairs):
        if number >= MOST_NAMES:
            raise BadRequest(TOO_MUCH)
        _put(found, _steps(name), value)
    return found


def _steps(name: str) -> list[str]:
    """poll[options][] → poll, options and an empty step."""
    first, bracket, rest = name.partition("[")
    if not bracket or not rest.endswith("]"):
        return [name]
    steps = [first, *rest[:-1].split("][")]
    if len(steps) > DEEPEST:
        raise BadRequest(TOO_MUCH)
    return steps


def _put(place: Nested, steps: list[str], value: Any) -> None:
    """A name that is once a part and once a value cannot be read."""
    step, *further = steps
    if not further:
        place[step] = value
    elif further == [""]:
        _listed(place, step).append(value)
    else:
        inside = place.setdefault(step, {})
        if not isinstance(inside, dict):
            raise BadRequest(f"{step} is given in two ways")
        _put(inside, further, value)


def _listed(place: Nested, step: str) -> list[Any]:
    found = place.setdefault(step, [])
    if not isinstance(found, list):
        raise BadRequest(f"{step} is given in two ways")
    return found
