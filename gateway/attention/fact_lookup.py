"""Finds what is known about deliveries that are about to leave, as gateway/attention/facts.py describes it."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from gateway.attention import fact_statements as statements
from gateway.attention import zones
from gateway.attention.facts import LOOKED_UP, READ_FROM_JSON, Facts
from gateway.attention.planned_post import PlannedPost
from gateway.attention.quiet_hours import quiet_until
from gateway.store.arrays import numbers

Key = tuple[int, int]  # message, address


class UnusualDelivery(NamedTuple):
    """One about which something is unusual, or which quotes posts."""

    message_id: int
    address_id: int
    reader_id: int | None  # whose address it is; None: nobody's
    quotes: Sequence[int] | None  # posts whose words are in the message, besides the one it carries

    @property
    def key(self) -> Key:
        return self.message_id, self.address_id


Found = tuple[Facts, list[UnusualDelivery]]


def find_planned(session: Session, post: PlannedPost, deliveries: Mapping[int, int | None]) -> list[Found]:
    """The same for the deliveries that a planned post would have: address → the source that would bring it. Whom it
    names privately is known from the plan, and so is not asked of the tables."""
    found = _collected(session.execute(statements.FACTS_OF_PLANNED, _planned(post, deliveries)))
    found = [(replace(known, addressed=True), rows) for known, rows in found]
    asked = {one.address_id: deliveries[one.address_id] for one in _in_question(found)}
    if not asked:
        return found
    given = _planned(post, asked) | _choosing(found)
    return _with_more(found, session.execute(statements.MORE_OF_PLANNED, given).all())


def _planned(post: PlannedPost, deliveries: Mapping[int, int | None]) -> dict[str, object]:
    return {
        "addresses": numbers(deliveries),
        "sources": numbers(deliveries.values()),
        "all_sources": numbers(post.sources),
        "author": post.author_id,
        "visibility": post.visibility,
        "group": post.group_id,
        "parent": post.in_reply_to,
    }


def find(session: Session, keys: Collection[Key]) -> list[Found]:
    """The facts of those of `keys` about which anything is unusual, and of those that quote posts. Equal facts come
    once, with all deliveries that have them. Most have only the usual facts: they cost no transfer and no Python."""
    return _with_circumstances(session, _collected(session.execute(statements.FACTS, _given(keys))))


def find_waiting(session: Session, timezones: Mapping[Key, str]) -> list[Found]:
    """The same for items that waited, each with the zone of its reader's clock. They are behind nobody but
    themselves."""
    found = _collected(session.execute(statements.FACTS_OF_WAITING, _given(timezones)))
    awake = [each for known, rows in found for each in _without_past_quiet(known, rows, timezones)]
    return _with_circumstances(session, awake)


def _without_past_quiet(
    known: Facts, deliveries: list[UnusualDelivery], timezones: Mapping[Key, str]
) -> Iterator[Found]:
    """Most items waited for the end of quiet hours. Hours that are not now have no part in what is decided, so nothing
    more need be looked up because of them."""
    if known.quiet is None:
        yield known, deliveries
        return
    by_zone: dict[str, list[UnusualDelivery]] = {}
    for one in deliveries:
        by_zone.setdefault(timezones[one.key], []).append(one)
    for timezone, rows in by_zone.items():
        rests = quiet_until(known.quiet, zones.zone(timezone), known.now) is not None
        yield known if rests else replace(known, quiet=None), rows


def _given(keys: Iterable[Key]) -> dict[str, str]:
    keys = list(keys)
    return {"messages": numbers(key[0] for key in keys), "addresses": numbers(key[1] for key in keys)}


def _with_circumstances(session: Session, found: list[Found]) -> list[Found]:
    asked = {one.key for one in _in_question(found)}
    if not asked:
        return found
    return _with_more(found, session.execute(statements.MORE, _given(asked) | _choosing(found)).all())


def _collected(rows: Iterable[Sequence[Any]]) -> list[Found]:
    found: dict[str, list[UnusualDelivery]] = {}
    for *delivery, known in rows:
        found.setdefault(known, []).append(UnusualDelivery(*delivery))
    return [(Facts(**_read(statements.NAMES, known)), deliveries) for known, deliveries in found.items()]


def _in_question(found: Iterable[Found]) -> Iterator[UnusualDelivery]:
    """Those about which more is asked."""
    return (one for known, deliveries in found if known.in_question for one in deliveries)


def _choosing(found: Iterable[Found]) -> dict[str, str]:
    """The addresses of those for whom it is asked what brings an item, and in which way."""
    return {"choosing": numbers({one.address_id for known, rows in found if known.depends for one in rows})}


def _with_more(found: Iterable[Found], rows: Iterable[Sequence[Any]]) -> list[Found]:
    """Adds the circumstances that are asked for few."""
    more = {(message, address): known for message, address, known in rows}
    return [each for known, deliveries in found for each in _split(known, deliveries, more)]


def _split(known: Facts, deliveries: list[UnusualDelivery], more: Mapping[Key, str]) -> Iterator[Found]:
    """Once for each combination of what was looked up."""
    alike: dict[str, list[UnusualDelivery]] = {}
    for one in deliveries:
        alike.setdefault(more.get(one.key, ""), []).append(one)
    for looked_up, rows in alike.items():
        yield replace(known, **_read(LOOKED_UP, looked_up)) if looked_up else known, rows


def _read(names: Sequence[str], written: str) -> dict[str, Any]:
    """The facts come as one column, a JSON array: a result of twenty columns costs more to prepare than to read, also
    when it is empty, and equal facts are seen by comparing one string."""
    facts = dict(zip(names, json.loads(written), strict=True))
    return {
        name: READ_FROM_JSON[name](fact) if fact is not None and name in READ_FROM_JSON else fact
        for name, fact in facts.items()
    }
