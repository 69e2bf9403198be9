"""How one input ended, for whoever waits for it: its state and its answer. `critter say` asks."""

from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from gateway.store.tables import Inbound, Message, Post

OPEN = ("new", "working")


@dataclass(frozen=True, slots=True)
class InboundResult:
    """`answer` is None when there was none: most updates have none."""

    state: str
    intent: str | None
    reason: str | None
    answer: str | None
    posted: bool

    @property
    def reached(self) -> bool:
        return self.state not in OPEN


def ending(session: Session, inbound_id: int) -> InboundResult:
    answer = select(Message.text).where(Message.inbound_id == inbound_id, Message.kind == "answer")
    posted = exists().where(Post.inbound_id == inbound_id)
    wanted = select(Inbound.state, Inbound.intent, Inbound.reason, answer.scalar_subquery(), posted)
    return InboundResult(*session.execute(wanted.where(Inbound.id == inbound_id)).one())
