"""A trace as lines in order of time, for people. `critter trace` prints them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from gateway.channels import NOUNS

Plain = dict[str, Any]
WORDS = {**NOUNS, "cli": "command line"}
WAITS_FOR = {
    "quiet": "quiet hours",
    "off_till": "turned off till then",
    "behind": "behind others that waited",
    "digest": "for a digest",
    "over": "for a digest, over the texts of a day",
    "online": "its reader is on the web",
    "unseen": "to be seen on the web",
}


class Event(NamedTuple):
    """One moment, and what happened then."""

    at: datetime
    what: str


def list_events(trace: Plain) -> list[Event]:
    """Everything in it that has a time."""
    found = [*_input(trace), *_posts(trace), *_fanouts(trace)]
    for delivery in trace["deliveries"]:
        found += _delivery(delivery)
    return sorted(found, key=lambda event: event.at)


def _input(trace: Plain) -> Iterator[Event]:
    row = trace["inbound"]
    if row is None:
        return
    by = f" (@{row['by']})" if row["by"] and row["channel"] != "cli" else ""
    yield _at(row["received_at"], f"accepted by {WORDS[row['channel']]} from {row['from']}{by}, input {row['id']}")
    if row["done_at"]:
        read = f"read as {row['intent']}" if row["intent"] else "read"
        yield _at(row["done_at"], f"{read}: {row['reason']}" + (f" ({row['state']})" if row["state"] != "done" else ""))
    for effect in trace["effects"]:
        if effect["kind"] != "post":
            yield _at(effect["at"], f"did: {effect['kind']}" + (f" {effect['subject']}" if effect["subject"] else ""))


def _posts(trace: Plain) -> Iterator[Event]:
    for post in trace["posts"]:
        to = {"company": "to everyone", "group": f"to #{post['group']}", "direct": "privately"}[post["visibility"]]
        yield _at(post["at"], f"post {post['id']} by @{post['author']} {to}")
        if post["deleted_at"]:
            by = f" by {post['deleted_by']}" if post["deleted_by"] else ""
            yield _at(post["deleted_at"], f"post {post['id']} taken back{by}")
    for message in trace["messages"]:
        if message["kind"] != "update":
            yield _at(message["at"], f"{message['kind']} written, message {message['id']}")


def _fanouts(trace: Plain) -> Iterator[Event]:
    for fanout in trace["fanouts"]:
        source = f" to those who follow @{fanout['source']}" if fanout["source"] else ""
        if fanout["done_at"]:
            how = "spread" if fanout["state"] == "done" else fanout["state"]
            yield _at(fanout["done_at"], f"{how}{source}: {fanout['texts']} by text, {fanout['mails']} by mail")
        else:
            yield _at(fanout["not_before"], f"may be spread{source}")


def _delivery(row: Plain) -> Iterator[Event]:
    to = f"{WORDS[row['channel']]} to @{row['reader']}" if row["reader"] else f"{WORDS[row['channel']]} to {row['to']}"
    yield _at(row["created_at"], f"{to}: queued, delivery {row['id']}")
    for attempt in row["attempts"]:
        yield _at(attempt["started_at"], f"{to}: try {attempt['number']} begun, attempt {attempt['id']}")
        if attempt["ended_at"]:
            carrier = f", {attempt['carrier_id']}" if attempt["carrier_id"] else ""
            yield _at(attempt["ended_at"], f"{to}: {attempt['state']}{_why(attempt)}{carrier}")
        for called in attempt["callbacks"]:
            yield _at(called["at"], f"{to}: the carrier says {called['status']}{_why(called)}")
    yield from _held(to, row["held"])
    if row["ended_at"] and row["state"] in ("failed", "cancelled", "unknown") and row["reason"] != "seen":
        yield _at(row["ended_at"], f"{to}: {row['state']} for good{_why(row)}")


def _held(to: str, held: Plain | None) -> Iterator[Event]:
    if held is None:
        return
    until = f"{datetime.fromisoformat(held['until']).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    why = WAITS_FOR[held["reason"]]
    yield _at(held["since"], f"{to}: waits until {until} ({why})" if not held["ended_at"] else f"{to}: waited ({why})")
    if held["digest"] and held["state"] != "cancelled":
        came = "came" if held["state"] == "sent" else "is"
        yield _at(held["ended_at"] or held["until"], f"{to}: {came} in a digest, message {held['digest']}")
    elif held["state"] == "seen":
        yield _at(held["ended_at"], f"{to}: seen on the web, and so not sent")
    elif held["state"] == "sent":
        yield _at(held["ended_at"], f"{to}: has waited, and is sent by itself")


def _why(row: Plain) -> str:
    why = f": {row['why']}" if row.get("why") else ""
    return f" ({row['reason']}{why})" if row["reason"] else ""


def _at(moment: str, what: str) -> Event:
    return Event(datetime.fromisoformat(moment), what)
