"""A worker of the version before beside new ones: it writes effects of an inbound, and knows nothing of actions."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.actions.undoing import undo
from gateway.store.database import transaction
from tests.support.office import Office

# As its version writes it.
OLD_EFFECT = text("""
    INSERT INTO effects (inbound_id, number, kind, subject_id, detail, account_id)
    VALUES (:inbound, 0, 'ack', :account, '{"before": false}', :account)
""")


def write_as_before(session: Session, inbound_id: int, account_id: int) -> None:
    session.execute(OLD_EFFECT, {"inbound": inbound_id, "account": account_id})


def test_undo_takes_back_what_was_done_last_not_what_came_in_last(office: Office) -> None:
    """A text that waited with a worker of the version before is done after a later one; so it is taken back first."""
    waited = office.says("kim", "ack on")
    office.sql("UPDATE inbound SET state = 'done' WHERE id = :id", id=waited)
    office.says("kim", "lunch is here")
    office.work()
    with transaction(office.engine) as session:
        kim = office.actor(session)
        write_as_before(session, waited, kim.account.id)
    with transaction(office.engine) as session:
        assert undo(session, office.actor(session)).outcome == "not_acknowledged"
