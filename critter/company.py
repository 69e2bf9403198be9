"""What `critter people` and `critter groups` share: reserved words; an account by its handle or one line why not."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

import handlers
from gateway.commands import TABLE
from gateway.errors import Refused
from gateway.language import verbs
from gateway.network import accounts, follows
from gateway.store.tables import Account


def reserved_words() -> frozenset[str]:
    """Every verb and alias: a handle that is one could not be told from a command."""
    assert handlers.MODULES  # importing them filled the table
    return frozenset(verbs.table(TABLE.verbs))


def account(session: Session, handle: str, kind: str | None = None) -> Account:
    """The active account of that handle; raises Refused with the command that lists what there is."""
    found = accounts.by_handle(session, handle, active=False)
    if found is None or (kind and found.kind != kind):
        noun = {"person": "person", "group": "group", None: "account"}[kind]
        where = "critter groups list" if kind == "group" else "critter people list"
        raise Refused(f"There is no {noun} @{handle.lstrip('@#')[:40]}: {where} shows who there is.")
    if found.state != "active":
        raise Refused(f"@{found.handle} is {found.state}.")
    return found


def enrol(session: Session, person: Account, names: Sequence[str], *, by_text: bool, member: bool) -> None:
    """Follows the named ones; as a member, which takes a group."""
    for name in names:
        source = account(session, name, "group" if member else None)
        role = "member" if member or source.access in ("open", "closed") else "follower"
        follows.follow(session, person.id, source.id, by_text, role=role)
