"""The doors' way into the inbox: what several sessions hand in at the same time is committed together."""

from collections.abc import Callable

from sqlalchemy import Engine

from gateway.ledger import inbox
from gateway.ledger.inbox import Incoming
from gateway.ledger.together import Together
from gateway.store.database import transaction


class Intake(Together[Incoming]):
    """A future ends when its row is durable, or with what kept it from being so; `accepted` rings after each commit."""

    def __init__(self, engine: Engine, accepted: Callable[[], None]) -> None:
        self._engine = engine
        self._key: bytes | None = None
        super().__init__("intake", self._accept, accepted)

    def _accept(self, incoming: list[Incoming]) -> None:
        with transaction(self._engine) as session:
            if self._key is None:
                self._key = inbox.hash_key(session)
            inbox.accept(session, self._key, incoming)
