"""How what comes to somebody comes: for each cause, and for all that they follow or track, with where that is from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.attention.causes import DeliveryCause
from gateway.attention.ways import CHOOSABLE
from gateway.network.follows import subscriptions
from gateway.network.people import way_choices
from gateway.network.people.way_choices import Ways


@dataclass(frozen=True, slots=True)
class WayRow:
    """`called`: @kim, #sales, #win or "acme"; empty for the cause itself. `way`: text, push, mail, digest, web,
    nothing; None for a cause of which some come by text and some by mail, as each was asked for. `origin`: it was
    chosen for this very row, or for its cause, or it is as it was asked for."""

    cause: DeliveryCause
    called: str
    way: str | None
    origin: Literal["own", "cause", "usual"]


@dataclass(frozen=True, slots=True)
class WayTable:
    """`preferred`: how each text comes instead, as a mail, a push or on the web alone; None: as a text."""

    preferred: str | None
    rows: tuple[WayRow, ...]

    @property
    def chosen(self) -> tuple[WayRow, ...]:
        """The causes, follows, tags and phrases with a way of their own."""
        return tuple(row for row in self.rows if row.origin == "own")


def prefers_mails(session: Session, actor: Actor) -> bool:
    return way_choices.prefers_mails(session, actor.account.id)


def way_table(session: Session, actor: Actor) -> WayTable:
    account_id = actor.account.id
    ways = way_choices.by_cause(session, account_id)
    rows = (*(_cause_row(cause, ways) for cause in CHOOSABLE), *_source_rows(session, account_id, ways))
    return WayTable(way_choices.preferred(session, account_id), rows)


def _cause_row(cause: DeliveryCause, ways: Ways) -> WayRow:
    usual = "text" if cause.addressed else None
    return WayRow(cause, "", ways.get(cause, usual), "own" if cause in ways else "usual")


def _source_rows(session: Session, account_id: int, ways: Ways) -> Iterator[WayRow]:
    for one in subscriptions.list_all(session, account_id):
        if one.way:
            yield WayRow(one.cause, one.called, one.way, "own")
        elif one.cause in ways:
            yield WayRow(one.cause, one.called, ways[one.cause], "cause")
        else:
            yield WayRow(one.cause, one.called, "text" if one.by_text else "mail", "usual")
