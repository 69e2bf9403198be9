"""What an operator does with dead letters: single ones by their ids, many by what they have in common. `critter dead`
and the page of what was not delivered call it."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.ledger.operations import dead_letters, retry
from gateway.ledger.operations.dead_letters import DeadLetterFilter
from gateway.ledger.operations.retry import DeliveryStatus
from gateway.network.inspect.id_lookup import LookupResult, look_up
from gateway.store.database import transaction
from gateway.store.tables import Inbound

Queues = frozenset[str]


class BulkAction(NamedTuple):
    """What is done to many: to deliveries, which returns how many there were and which queues to wake; and to
    quarantined inputs."""

    name: str
    deliveries: Callable[[Session, Sequence[DeliveryStatus]], tuple[Queues, int]]
    state: str  # of the inputs
    queues: Queues  # for them


def apply_to_many(engine: Engine, which: DeadLetterFilter, deed: BulkAction, actor: str) -> tuple[Queues, int]:
    """Works in batches; each is a transaction with its line of the audit. Returns the queues to wake, and how many
    there were."""
    with transaction(engine) as session:
        inputs = dead_letters.inputs(session, which)
        retry.decide(session, inputs, deed.state, actor, f"inbound.{deed.name}")
    queues, done = deed.queues if inputs else Queues(), len(inputs)
    while True:
        with transaction(engine) as session:
            rows = dead_letters.deliveries(session, which)
            if not rows:
                return queues, done
            more, count = deed.deliveries(session, rows)
            dead_letters.note(session, actor, f"dead.{deed.name}", which, count)
        queues, done = queues | more, done + count


RETRY: Final = BulkAction(
    "retry", lambda session, rows: (retry.reopen(session, rows), len(rows)), "new", Queues({"inbound"})
)
DROP: Final = BulkAction(
    "drop", lambda session, rows: (Queues(), dead_letters.drop(session, rows)), "dropped", Queues()
)


def retry_named(session: Session, ids: Sequence[str], actor: str) -> tuple[Queues, int]:
    """Returns the queues to wake, and how many there were. The caller commits all of them or nothing."""
    queues, done = Queues(), 0
    for row_id in ids:
        found = look_up(session, row_id)
        if found.kind == "inbound":
            retry.readmit(session, session.get_one(Inbound, found.inbound_id), actor)
            queues, done = queues | {"inbound"}, done + 1
        else:
            rows = read_status(session, found, row_id)
            queues, done = queues | retry.put_back(session, rows, actor), done + len(rows)
    return queues, done


def drop_named(session: Session, ids: Sequence[str], actor: str) -> int:
    """How many there were. The caller commits all of them or nothing."""
    done = 0
    for row_id in ids:
        found = look_up(session, row_id)
        if found.kind == "inbound":
            row = session.get_one(Inbound, found.inbound_id)
            refuse_unless_aside(row)
            done += retry.decide(session, [row.id], "dropped", actor, "inbound.drop")
        else:
            rows = read_status(session, found, row_id)
            dead_letters.note_each(session, actor, "dead.drop", rows)
            done += dead_letters.drop(session, rows)
    return done


def read_status(session: Session, found: LookupResult, row_id: str) -> list[DeliveryStatus]:
    """The dead ones among a message's deliveries, locked; raises Refused when there is none."""
    if found.message_id is None:
        raise Refused(f"{row_id} is a post: name one of its deliveries. critter trace {row_id} shows them.")
    rows = retry.deliveries(session, found.message_id, found.address_id)
    badly = [row for row in rows if row.state in retry.BADLY]
    if not badly:
        raise Refused(f"{row_id} is not a dead letter. critter trace {row_id} shows how it stands.")
    return badly


def refuse_unless_aside(row: Inbound) -> None:
    if row.state != "quarantined":
        raise Refused(f"{row.id} is {row.state}, not a dead letter. critter trace {row.id} shows how it stands.")
