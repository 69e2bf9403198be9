"""What `undo` has taken back: a word for it and its facts. Each family of actions says how its effects are undone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from gateway.store.tables import Effect


@dataclass(frozen=True, slots=True)
class Undone:
    """`outcome`: how it is now, one of the keys of handlers/undo.SENTENCES."""

    outcome: str
    facts: dict[str, Any] = field(default_factory=dict)


Undoing = Callable[[Session, Actor, Effect], Undone]


def active_account(session: Session, account_id: int | None) -> NamedAccount:
    """The account that an effect was about; raises Refused when it is gone."""
    account = accounts.by_id(session, account_id or 0)
    if account is None or account.state != "active":
        raise refusal("account_gone")
    return find_named(account)
