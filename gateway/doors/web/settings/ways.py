"""What the table of ways sends: each cause and each row that is set apart, with its way and its end; the limit of texts
a day; mails instead of texts. One form, which a script sends after each choice."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from gateway.actions import following, pausing
from gateway.actions.model.actor import Actor
from gateway.actions.preferences import text_limit, ways
from gateway.attention import zones
from gateway.attention.causes import DeliveryCause
from gateway.attention.ways import CHOOSABLE, WAYS
from gateway.doors.web.settings import ROUTER, way_rows
from gateway.doors.web.settings.way_rows import ChoiceRow
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import say
from gateway.i18n.refusals import refusal
from gateway.language.words import durations
from gateway.network.follows import tag_follows
from gateway.network.people import accounts
from gateway.network.people.directory import find_named

WAY, END, USUAL, ADD = "way.", "end.", "usual", "add"
NEVER: Final = "never"
SPANS: Final = ("1h", "till tomorrow", "till monday", "1w")
INSTEAD: Final = {
    "mail": say("Mails come instead of texts now."),
    "push": say("Pushes come instead of texts now."),
    "web": say("What came by text stands here alone now."),
    "": say("Texts come again."),
}
Fields = Sequence[tuple[str, str]]


@ROUTER.post("/settings/ways")
def save_ways(visit: Visit) -> Response:
    changed = visit.do(save, _fields())
    visit.say(say("Saved.") if changed else say("It was so already."), undo=changed == 1)
    return visit.back("/settings")


def _fields() -> list[tuple[str, str]]:
    """Only what this page sends; a button that was pressed stands among it."""
    names = (WAY, END, USUAL, ADD, "limit", "source")
    return [(name, value[:40]) for name, value in request.form.items() if name.startswith(names)]


def save(session: Session, actor: Actor, fields: Fields) -> int:
    """Does what differs from now; returns how much that was."""
    given, before = dict(fields), len(actor.effects)
    if pressed := given.get(USUAL):
        _set(session, actor, pressed, None)
    elif ADD in given:
        _set_apart(session, actor, given.get("source", ""))
    else:
        _save_rows(session, actor, given)
        _save_limit(session, actor, given)
    return len(actor.effects) - before


def _save_rows(session: Session, actor: Actor, given: Mapping[str, str]) -> None:
    table = way_rows.load(session, actor)
    for row in (*table.to_you, *table.followed, *table.apart):
        way, end = given.get(WAY + row.key, row.way), given.get(END + row.key, "")
        if way is not None and way not in WAYS:
            raise BadRequest
        if end and row.ends:
            _set_end(session, actor, row, way, end)
        elif way != row.way:
            _set(session, actor, row.key, way)


def _set(session: Session, actor: Actor, key: str, way: str | None) -> None:
    kind, _, number = key.partition(":")
    if not (number.isascii() and number.isdecimal()):
        raise BadRequest
    if kind == "cause" and int(number) in list(CHOOSABLE):
        ways.set_cause_way(session, actor, DeliveryCause(int(number)), way)
    elif kind == "source":
        ways.set_source_way(session, actor, int(number), way)
    else:
        raise BadRequest


def _set_apart(session: Session, actor: Actor, source: str) -> None:
    """Begins with the way in which it comes already, so that nothing changes before something else is chosen."""
    if not (source.isascii() and source.isdecimal()):
        raise refusal("source_not_followed")
    usual = way_rows.way_now(session, actor, int(source))
    ways.set_source_way(session, actor, int(source), usual)


def _set_end(session: Session, actor: Actor, row: ChoiceRow, way: str | None, end: str) -> None:
    """An end of what is sent is that of the follow; one of `nothing` is when it comes again. To follow anew makes a way
    of its own end, so the way is set last."""
    source, until = int(row.key.partition(":")[2]), _until(actor, end)
    account = accounts.by_id(session, source)
    if account is not None and way == "nothing":
        pausing.turn_off_source(session, actor, find_named(account), until)
        return
    if account is not None:
        following.follow(session, actor, find_named(account), until)
    elif tag := tag_follows.tag_of(session, source):
        following.follow_tag(session, actor, f"#{tag}", until)
    ways.set_source_way(session, actor, source, way)


def _until(actor: Actor, end: str) -> datetime | None:
    if end == NEVER:
        return None
    if end not in SPANS:
        raise BadRequest
    return durations.ends(end, datetime.now(zones.zone(actor.account.zone_now)))


def _save_limit(session: Session, actor: Actor, given: Mapping[str, str]) -> None:
    """An empty field, or 0: as many as come."""
    written = given.get("limit")
    if written is None:
        return
    if written.strip() and not (written.strip().isascii() and written.strip().isdecimal()):
        raise refusal("limit_out_of_range", most=text_limit.MOST)
    text_limit.set_limit(session, actor, int(written or 0) or None)


@ROUTER.post("/settings/prefer")
def save_preference(visit: Visit) -> Response:
    """Mails, pushes or the web alone instead of texts, or texts again."""
    wanted = visit.form("instead", 10)
    if wanted not in INSTEAD:
        raise BadRequest
    visit.do(ways.prefer, wanted or None)
    visit.say(INSTEAD[wanted], undo=True)
    return visit.back("/settings")
