"""What the tour shows of one text: what it was read as, where it was sent, how far that is; and how any text reads."""

from functools import cached_property
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from critter.demo.tour.troubles import describe
from critter.explain import text as explaining
from gateway.errors import Refused
from gateway.inbound.commands import CommandRegistry
from gateway.network.inspect import trace as traces
from gateway.network.inspect.id_lookup import look_up
from gateway.settings import Settings
from gateway.store.database import transaction

Plain = dict[str, Any]


class TourApi:
    """Answers the page's questions; it changes nothing."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings

    @cached_property
    def _world(self) -> CommandRegistry:
        return explaining.build_registry(self._settings)

    def trace(self, carrier_id: str) -> Plain | None:
        """The summary of `critter trace` and the state of its copies; None while no such input was accepted."""
        with describe(), transaction(self._engine) as session:
            try:
                found = look_up(session, carrier_id)
            except Refused:
                return None  # the page may ask before we have it
            if found.inbound_id is None:
                return None
            summary = traces.summary(session, found.inbound_id, self._settings.sms_price)
            return summary | progress(session, found.inbound_id)

    def explain(self, words: str, handle: str) -> Plain:
        """As `critter explain TEXT --as HANDLE --json` says it."""
        with describe(), self._engine.connect() as connection:
            return explaining.explain(connection, self._world, words, handle=handle).plain()


def progress(session: Session, inbound_id: int) -> Plain:
    """How many copies there are, and how many are `sent`, `delivered` or in any way `ended`; times in ms since it was
    accepted. `sent_texts`: the sent ones that a carrier reports on, which a mail server does not. `holds`: seconds
    until a held one is sent; `undone`: its fan-out was stopped."""
    row = session.execute(PROGRESS, {"inbound": inbound_id}).mappings().one()
    return {name: float(value) if name == "holds" and value is not None else value for name, value in row.items()}


PROGRESS: Final = text("""
    WITH mine AS (
        SELECT m.id, i.received_at FROM inbound i JOIN messages m ON m.inbound_id = i.id
        WHERE i.id = :inbound
        UNION
        SELECT m.id, i.received_at
        FROM inbound i JOIN posts p ON p.inbound_id = i.id JOIN messages m ON m.post_id = p.id
        WHERE i.id = :inbound
    ), spread AS (
        SELECT max(extract(epoch FROM f.not_before - now())) FILTER (WHERE f.state = 'waiting' AND f.not_before > now())
                   AS holds,
               coalesce(bool_or(f.state = 'cancelled'), false) AS undone,
               max(extract(epoch FROM f.done_at - mine.received_at)) FILTER (WHERE f.state = 'done') AS spread_at
        FROM mine JOIN fanouts f ON f.message_id = mine.id
    ), gone AS (
        SELECT count(*) AS copies,
               count(*) FILTER (WHERE d.state IN ('sent', 'delivered')) AS sent,
               count(*) FILTER (WHERE d.state IN ('sent', 'delivered') AND d.channel = 'sms') AS sent_texts,
               count(*) FILTER (WHERE d.state = 'delivered') AS delivered,
               count(*) FILTER (WHERE d.ended_at IS NOT NULL) AS ended,
               max(extract(epoch FROM d.sent_at - mine.received_at)) AS sent_at
        FROM mine JOIN deliveries d ON d.message_id = mine.id
    )
    SELECT spread.holds, spread.undone, CAST(round(1000 * spread.spread_at) AS int) AS spread_ms,
           gone.copies, gone.sent, gone.sent_texts, gone.delivered, gone.ended,
           CAST(round(1000 * gone.sent_at) AS int) AS sent_ms
    FROM spread, gone
""")
