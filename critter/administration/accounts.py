"""What `critter people` and `critter groups` share: an account by its handle, or one line why not."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from critter.console.reserved_words import reserved_words
from gateway.errors import Refused
from gateway.network.people import accounts, aliases
from gateway.network.people.aliases import AliasRow
from gateway.store.database import transaction
from gateway.store.tables import Account
from gateway.typed_input import show_escaped

PEOPLE = "critter people list shows who there is"


def hidden_names(engine: Engine) -> list[str]:
    """A line for each handle and alias that has become a verb: the verb wins, and somebody should know."""
    with transaction(engine) as session:
        found = aliases.hidden(session, reserved_words())
    return [_hidden(one) for one in found]


def _hidden(one: AliasRow) -> str:
    if one.kind == "handle":
        return f"@{one.word} is a command too now: it wins at the start of a text. Tell people to write @{one.word}."
    remove = f"critter people alias {one.handle} {one.word} --remove"
    return f"“{one.word}”, an alias of @{one.handle}, is a command too now, which wins: {remove}."


def account(session: Session, handle: str, kind: str | None = None) -> Account:
    """The active account of that handle; raises Refused with the command that lists the accounts."""
    found = accounts.by_handle(session, handle, active=False)
    if found is None or (kind and found.kind != kind):
        noun = {"person": "person", "group": "group", None: "account"}[kind]
        mark, where = ("#", "critter groups list shows all") if kind == "group" else ("@", PEOPLE)
        raise Refused(f"There is no {noun} {mark}{show_escaped(handle.lstrip('@#'))}: {where}.")
    if found.state != "active":
        raise Refused(f"{'#' if found.kind == 'group' else '@'}{found.handle} is {found.state}.")
    return found
