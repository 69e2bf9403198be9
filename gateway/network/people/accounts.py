"""People and groups: one namespace of handles. Handlers, the command line, the import and the demo come here."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.refusals import refusal
from gateway.ledger.outbox import cancellations
from gateway.network.people import aliases
from gateway.network.people.directory import find as find
from gateway.network.people.handles import canonical_handle as canonical_handle
from gateway.network.people.handles import clean_name as clean_name
from gateway.network.people.handles import handle_problem
from gateway.network.push import push_subscriptions
from gateway.store.tables import Account, Address, Conversation, Draft, Follow, TopicFollow, Tracker

ROLES = ("member", "operator", "admin")
ACCESS = ("open", "closed", "broadcast")


def check_handle(session: Session, handle: str, reserved: Collection[str] = ()) -> str:
    """The canonical handle when it is free; else raises Refused. `reserved`: every verb of the command table."""
    canonical = canonical_handle(handle)
    problem = handle_problem(canonical, reserved)
    if problem:
        raise refusal("bad_handle", problem=problem)
    if session.scalar(select(Account.id).where(Account.handle == canonical)) is not None:
        raise refusal("taken", handle=canonical)
    if taken := aliases.owners(session, [canonical]).get(canonical):
        raise refusal("taken_by_alias", word=canonical, handle=taken.handle)
    return canonical


def by_handle(session: Session, handle: str, *, active: bool = True) -> Account | None:
    """The person or group with exactly this handle; only an active one unless told otherwise."""
    account = session.scalars(select(Account).where(Account.handle == canonical_handle(handle))).one_or_none()
    return None if account is None or (active and account.state != "active") else account


def group_called(session: Session, written: str) -> Account | None:
    """The active group that #written may mean."""
    account = by_handle(session, written.lstrip("#"))
    return account if account and account.kind == "group" else None


def by_id(session: Session, account_id: int) -> Account | None:
    """Any account, whatever its state."""
    return session.get(Account, account_id)


def create_person(
    session: Session,
    handle: str,
    name: str,
    *,
    title: str | None = None,
    language: str = "en",
    timezone: str = "UTC",
    reserved: Collection[str] = (),
) -> Account:
    """A new person with no address and no follows yet; raises Refused for a bad or taken handle or a bad name."""
    free = check_handle(session, handle, reserved)
    row = {"kind": "person", "handle": free, "name": clean_name(name), "title": title}
    return _insert(session, {**row, "language": language, "timezone": timezone})


def create_group(
    session: Session,
    handle: str,
    name: str,
    access: str,
    owner_id: int | None = None,
    *,
    by_text: bool = False,
    reserved: Collection[str] = (),
) -> Account:
    """A new group with its owner as a member, who gets it `by_text` or by mail; raises Refused as create_person
    does."""
    if access not in ACCESS:
        raise Refused(f"A group is open, closed or broadcast, not “{access[:20]}”.")
    free = check_handle(session, handle, reserved)
    group = _insert(session, {"kind": "group", "handle": free, "name": clean_name(name), "access": access})
    if owner_id is not None:
        session.add(Follow(follower_id=owner_id, account_id=group.id, role="owner", by_text=by_text))
        session.flush()
    return group


def _insert(session: Session, row: dict[str, Any]) -> Account:
    made = insert(Account).values(row).on_conflict_do_nothing(index_elements=["handle"]).returning(Account)
    account = session.scalars(made).one_or_none()
    if account is None:  # taken between the check and the insert
        raise refusal("taken", handle=row["handle"])
    return account


def set_role(session: Session, account_id: int, role: str) -> None:
    """What a person may do to the installation: member, operator or admin; raises Refused for anything else."""
    if role not in ROLES:
        raise Refused(f"A role is member, operator or admin, not “{role[:20]}”.")
    person = by_id(session, account_id)
    if person is None or person.kind != "person":
        raise Refused("Only a person has a role.")
    person.role = role
    session.flush()


def operators(session: Session) -> set[int]:
    """The people who run this installation: operators and admins."""
    run = select(Account.id).where(Account.role.in_(["operator", "admin"]), Account.state == "active")
    return set(session.scalars(run))


def suspend(session: Session, account_id: int) -> bool:
    """Until `restore` they can do nothing, receive nothing and are found by nobody; what they wrote and has not left is
    not sent. Everything they have stays. False when they were not active. It waits for a fan-out that runs now."""
    away = update(Account).where(Account.id == account_id, Account.state == "active").values(state="suspended")
    if session.scalar(away.returning(Account.id)) is None:
        return False
    mine = select(Address.id).where(Address.account_id == account_id)
    cancellations.cancel_words(session, account_id, "suspended")
    cancellations.cancel_open(session, mine, "suspended")
    return True


def restore(session: Session, account_id: int) -> bool:
    """They get back all they had; what was cancelled meanwhile stays cancelled. False when they were not suspended."""
    back = update(Account).where(Account.id == account_id, Account.state == "suspended").values(state="active")
    return session.scalar(back.returning(Account.id)) is not None


def deactivate(session: Session, account_id: int) -> bool:
    """Deactivates one person or group; False when that was done before."""
    return deactivate_all(session, [account_id]) == 1


def deactivate_all(session: Session, account_ids: Sequence[int]) -> int:
    """Deactivates them all at once and returns how many were active before: nothing reaches them, nobody gets their
    posts, nothing waits for their answer. Their posts stay, and so does an opt-out."""
    off = update(Account).where(Account.id.in_(account_ids), Account.state != "deactivated")
    cut = session.scalars(off.values(state="deactivated", deactivated_at=func.now()).returning(Account.id)).all()
    addresses = select(Address.id).where(Address.account_id.in_(cut))
    session.execute(delete(Follow).where(or_(Follow.follower_id.in_(cut), Follow.account_id.in_(cut))))
    session.execute(delete(TopicFollow).where(TopicFollow.follower_id.in_(cut)))
    session.execute(delete(Tracker).where(Tracker.follower_id.in_(cut)))
    session.execute(delete(Conversation).where(Conversation.address_id.in_(addresses)))
    session.execute(delete(Draft).where(Draft.account_id.in_(cut)))
    push_subscriptions.remove_of_people(session, cut)
    cancellations.cancel_open(session, addresses, "deactivated")
    suspended = update(Address).where(Address.account_id.in_(cut), Address.state.in_(["invited", "verified"]))
    session.execute(suspended.values(state="suspended"))
    return len(cut)
