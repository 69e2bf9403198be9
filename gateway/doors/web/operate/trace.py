"""The story of one thing: how it came, what it was read as, what was written, to whom it went, and how each try ended.
The words are hidden until they are asked for, which is written into the audit; private ones are never shown here."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from flask import Response, jsonify

from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.ledger.audit import audit_log
from gateway.network.inspect import public_words
from gateway.network.inspect.id_lookup import LookupResult, look_up
from gateway.network.inspect.public_words import Words
from gateway.network.inspect.trace import View, trace
from gateway.security.masking import last_two

MOST: Final = 100  # deliveries of one page; the file has up to 1000
GOOD: Final = ("delivered", "sent")
BAD: Final = ("failed", "unknown")
MAY_QUOTE: Final = ("direct", "ask", "error")  # readings whose reason may have a word of the text in it


class StoryTitle(NamedTuple):
    """The sentence on top. `level`: good, waits, bad."""

    level: str
    sentence: Phrase
    more: Phrase


@ROUTER.page("/operate/trace/<row_id>", "operator")
def story(visit: Visit, row_id: str) -> str:
    return _page(visit, row_id, look_up(visit.session, row_id), ())


@ROUTER.post("/operate/trace/<row_id>/words", "operator")
def story_words(visit: Visit, row_id: str) -> str:
    """The page once more, with the words. Each look is written down, so the answer to this form is the page itself:
    whoever loads it again looks again."""
    found = look_up(visit.session, row_id)
    words = public_words.of_posts(visit.session, found)
    audit_log.record(visit.session, operator(visit), "trace.words", _subject(found), {"posts": len(words)})
    return _page(visit, row_id, found, words, asked=True)


@ROUTER.page("/operate/trace/<row_id>/json", "operator")
def story_file(visit: Visit, row_id: str) -> Response:
    """The same facts for other programs, without words."""
    traced = trace(visit.session, look_up(visit.session, row_id), View(last_two, visit.settings.sms_price))
    answer = jsonify(traced)
    answer.headers["Content-Disposition"] = "attachment; filename=story.json"
    return answer


def _subject(found: LookupResult) -> int | None:
    return found.inbound_id or found.post_id or found.message_id


def _page(visit: Visit, row_id: str, found: LookupResult, words: Sequence[Words], *, asked: bool = False) -> str:
    traced = trace(visit.session, found, View(last_two, visit.settings.sms_price, limit=MOST))
    return show(
        visit, "trace.html", row_id=row_id, traced=traced, title=_title(traced), words=words, asked=asked,
        good=GOOD, bad=BAD, whom=_whom(traced), hidden_reason=_is_private(traced),
    )  # fmt: skip


def _whom(traced: dict[str, Any]) -> str | None:
    """Who wrote it, by handle."""
    posts, inbound = traced["posts"], traced["inbound"]
    return posts[0]["author"] if posts else (inbound["by"] if inbound else None)


def _is_private(traced: dict[str, Any]) -> bool:
    """Whether the reason of the reading stays hidden: it may quote a word of what was private, or was to be."""
    inbound, posts = traced["inbound"], traced["posts"]
    return bool(inbound and inbound["intent"] in MAY_QUOTE) or any(post["visibility"] == "direct" for post in posts)


def _title(traced: dict[str, Any]) -> StoryTitle:
    rows = traced["deliveries"]
    have = sum(row["state"] in GOOD for row in rows)
    again = sum(row["state"] in ("retry", "queued", "sending", "held") for row in rows)
    lost = sum(row["state"] in BAD for row in rows)
    if not rows:
        return StoryTitle(*_without_deliveries(traced), _facts(traced))
    first = (
        count("{count} has it", "{count} have it", have)
        if have == len(rows)
        else say("{have} of {all} have it", have=have, all=len(rows))
    )
    parts = [first]
    parts += [count("{count} on its way", "{count} on their way", again)] if again else []
    parts += [count("{count} did not get it", "{count} did not get it", lost)] if lost else []
    level = "bad" if lost else ("waits" if again else "good")
    return StoryTitle(level, joined(parts, ", "), _facts(traced))


def _without_deliveries(traced: dict[str, Any]) -> tuple[str, Phrase]:
    state = traced["inbound"]["state"] if traced["inbound"] else "done"
    match state:
        case "new" | "working" | "unproved":
            return "waits", say("It waits to be read")
        case "held":
            return "waits", say("It is held")
        case "quarantined":
            return "bad", say("It ended three workers")
        case "dropped":
            return "good", say("It was put away")
    return "good", say("Nothing left because of it")


def _facts(traced: dict[str, Any]) -> Phrase:
    """3 texts, 1 mail, read in 5 ms, costs $0.02."""
    if not traced["inbound"]:
        return say("Nothing came in for it: it is of Critter’s own, or was written on a page.")
    parts = [
        count("{count} text", "{count} texts", traced["texts"]),
        count("{count} mail", "{count} mails", traced["mails"]),
    ]
    parts += [say("read in {ms} ms", ms=str(traced["ms"]))] if traced["ms"] is not None else []
    parts += [say("costs ${dollars}", dollars=f"{traced['cost']:.4f}")] if traced["cost"] else []
    return joined(parts, ", ")
