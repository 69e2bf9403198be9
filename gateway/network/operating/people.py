"""What operators do about people: suspend and restore them, give them a role, make a code with which they link a new
phone or mailbox. `critter people` and the page of people call it."""

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.ledger.audit import audit_log
from gateway.network.operating import audit_reasons
from gateway.network.people import accounts
from gateway.network.verification import codes
from gateway.security.signed_tokens import Signer
from gateway.store.tables import Account
from gateway.typed_input import show_escaped


def find(session: Session, handle: str) -> Account:
    """The person of that handle, whatever their state; raises Refused."""
    person = accounts.by_handle(session, handle, active=False)
    if person is None or person.kind != "person":
        name = show_escaped(handle.lstrip("@")[:40])
        raise Refused(f"There is no person @{name}: critter people list --all shows who there is.")
    return person


def suspend(session: Session, person: Account, actor: str, reason: str = "") -> None:
    """Stops somebody for now: they act nowhere, receive nothing, are found by nobody. Nothing of theirs is lost."""
    audit_reasons.refuse_naming(person, reason)
    if not accounts.suspend(session, person.id):
        raise Refused(f"@{person.handle} is {person.state}.")
    audit_log.record(
        session, actor, "people.suspend", person.id, {"handle": person.handle, **audit_reasons.detail(reason)}
    )


def restore(session: Session, person: Account, actor: str) -> None:
    """Brings somebody back who was suspended, with all they had."""
    if not accounts.restore(session, person.id):
        raise Refused(f"@{person.handle} is not suspended but {person.state}.")
    audit_log.record(session, actor, "people.restore", person.id, {"handle": person.handle})


def set_role(session: Session, person: Account, role: str, actor: str) -> bool:
    """Says who runs this. False when they had that role already."""
    if person.state != "active":
        raise Refused(f"@{person.handle} is {person.state}.")
    before = person.role
    accounts.set_role(session, person.id, role)
    if before != role:
        audit_log.record(session, actor, "people.role", person.id, {"from": before, "to": role})
    return before != role


def make_link_code(session: Session, signer: Signer, person: Account, actor: str) -> str:
    """Six digits for ten minutes: whoever has the new phone or mailbox sends them to us."""
    if person.state != "active":
        raise Refused(f"@{person.handle} is {person.state}.")
    audit_log.record(session, actor, "address.code", person.id, {"purpose": "link"})
    return codes.link(session, signer, person.id)
