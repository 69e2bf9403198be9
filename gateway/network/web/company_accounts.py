"""Who somebody is here that the company's directory (OpenID Connect) has signed in: whom it named before, else the
owner of the mailbox that it has verified."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.errors import Refused
from gateway.ledger.audit import audit_log
from gateway.network.people import addresses
from gateway.store.tables import Account, CompanyAccount


@dataclass(frozen=True, slots=True)
class CompanyPerson:
    """`subject`: the directory's id of them, which never changes; `mailbox`: only one that the directory verified."""

    issuer: str
    subject: str
    mailbox: str | None


def find(session: Session, person: CompanyPerson) -> Account | None:
    """The active account; None for who is not known here, and for who may not act. A mailbox counts once: from then on
    they are known by the directory's id, so that a mailbox with a new owner opens nothing of the old one."""
    tied = session.get(CompanyAccount, (person.issuer, person.subject))
    if tied is not None:
        account = session.get(Account, tied.account_id)
        return account if account and account.state == "active" else None
    found = _by_mailbox(session, person)
    if found is not None:
        row = insert(CompanyAccount).values(issuer=person.issuer, subject=person.subject, account_id=found.id)
        session.execute(row.on_conflict_do_nothing())
        audit_log.record(session, f"@{found.handle}", "company_account.tie", found.id)
    return found


def _by_mailbox(session: Session, person: CompanyPerson) -> Account | None:
    """Of a proved mailbox, and only while no other account of this directory is tied to its owner."""
    if person.mailbox is None:
        return None
    try:
        mailbox = addresses.normal_mailbox(person.mailbox)
    except Refused:
        return None
    found = addresses.identify(session, EMAIL, mailbox)
    if found is None or found[0].state != "verified":
        return None
    others = select(CompanyAccount.subject).where(
        CompanyAccount.issuer == person.issuer, CompanyAccount.account_id == found[1].id
    )
    return None if session.scalar(others) else found[1]
