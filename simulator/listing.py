"""Twilio's list of Messages: newest first, by To, From and day sent, in pages that stay stable while texts come in."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from multidict import MultiMapping

from simulator.messages import Message
from simulator.refusals import TwilioError
from simulator.resource import messages_path, resource
from simulator.world import World

FILTERS = ("To", "From", "DateSent", "DateSent>", "DateSent<")
DEFAULT_SIZE, LARGEST_SIZE = 50, 1000


def page(world: World, query: MultiMapping[str]) -> dict[str, Any]:
    """One page as JSON. The page token is the last SID shown, so newer texts never shift the pages after it."""
    size, number = _size(query.get("PageSize")), _whole(query.get("Page"), 0)
    found = list(islice(_after(_matching(world, query), world, query.get("PageToken")), size + 1))
    shown = found[:size]
    path = messages_path(world.options) + ".json"
    kept = [(name, query[name]) for name in FILTERS if name in query] + [("PageSize", str(size))]
    more = [("Page", str(number + 1)), ("PageToken", "PA" + shown[-1].sid)] if len(found) > size else None
    return {
        "messages": [resource(world.options, message) for message in shown],
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": number * size + max(0, len(shown) - 1),
        "uri": f"{path}?{urlencode([*kept, ('Page', str(number))])}",
        "first_page_uri": f"{path}?{urlencode([*kept, ('Page', '0')])}",
        "next_page_uri": f"{path}?{urlencode(kept + more)}" if more else None,
        "previous_page_uri": None,
    }


def _matching(world: World, query: MultiMapping[str]) -> Iterator[Message]:
    to, sender = query.get("To"), query.get("From")
    on, since, until = (_day(query.get(name)) for name in FILTERS[2:])
    # Our own number as sender has no index: its texts are found by reading all.
    indexed = to or (sender if sender not in world.options.numbers else None)
    for message in world.messages.newest(indexed):
        if (to and message.recipient != to) or (sender and message.sender != sender):
            continue
        day = datetime.fromtimestamp(message.sent or message.created, UTC).date() if on or since or until else None
        if day and ((on and day != on) or (since and day < since) or (until and day > until)):
            continue
        yield message


def _after(messages: Iterator[Message], world: World, token: str | None) -> Iterator[Message]:
    """Those older than the one that the token names."""
    if not token:
        return messages
    last = world.messages.get(token.removeprefix("PA"))
    if last is None:
        raise TwilioError(20001, "PageToken is not valid")
    return (message for message in messages if message.seq < last.seq)


def _day(value: str | None) -> date | None:
    """Twilio filters by whole days in GMT, also when given a time. (`DateSent>=2024-05-01` arrives as `DateSent>`.)"""
    if not value:
        return None
    try:
        given = datetime.fromisoformat(value)
    except ValueError:
        raise TwilioError(20001, "DateSent must be YYYY-MM-DD or an ISO 8601 time") from None
    return (given.astimezone(UTC) if given.tzinfo else given).date()


def _size(value: str | None) -> int:
    return max(1, min(LARGEST_SIZE, _whole(value, DEFAULT_SIZE)))


def _whole(value: str | None, default: int) -> int:
    if value is None:
        return default
    if not (value.isascii() and value.isdigit()):
        raise TwilioError(20001, "Page and PageSize must be whole numbers")
    return int(value)
