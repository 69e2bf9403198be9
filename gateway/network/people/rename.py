"""Gives a group another handle; the old one stays as an alias. The command line calls it."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from gateway.network.people import accounts, aliases
from gateway.network.people.handles import RESERVED, canonical_handle
from gateway.store.tables import Account


def rename(session: Session, group: Account, handle: str, name: str, reserved: Collection[str] = ()) -> None:
    """Raises Refused for a handle that is taken or not allowed. A word that is an alias of the group may become its
    handle."""
    was, wanted = group.handle, canonical_handle(handle)
    group.name = name
    if wanted == was:
        session.flush()
        return
    called = aliases.owners(session, [wanted]).get(wanted)
    if called is not None and called.handle == was:
        aliases.remove(session, group, wanted)
    group.handle = accounts.check_handle(session, wanted, reserved)
    session.flush()
    if was not in RESERVED and was not in reserved:  # an old handle may have become a verb since
        aliases.add(session, group, was, reserved)
