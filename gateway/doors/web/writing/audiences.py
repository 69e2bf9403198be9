"""Whom a form is for: everyone who follows one, a group, people privately, or those who hear what it answers."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from gateway.i18n.refusals import refusal
from gateway.network.audience import visibility
from gateway.network.follows import follows
from gateway.network.people import accounts
from gateway.network.people.directory import find
from gateway.store.tables import Account

EVERYONE = "everyone"
PRIVATE = "private"
Kind = Literal["everyone", "group", "private", "reply"]


@dataclass(frozen=True, slots=True)
class Audience:
    """`name`: as forms and drafts call it. `account`: the group, or whom it is private to. `post_id`: what it
    answers."""

    name: str
    kind: Kind
    account: Account | None = None
    post_id: int | None = None


def read(session: Session, name: str, person: str = "", viewer_id: int | None = None) -> Audience:
    """`person`: who was typed for a private message. Raises Refused for a name that means nobody: words must never go
    to everyone by mistake."""
    what, _, rest = name.partition(":")
    number = int(rest) if rest.isascii() and rest.isdecimal() and len(rest) < 20 else 0
    if name == EVERYONE:
        return Audience(name, "everyone")
    if name == PRIVATE:
        return _typed(session, person, viewer_id)
    if what == "re" and number:
        return Audience(name, "reply", post_id=number)
    if what in ("to", "in") and number:
        return _chosen(name, what, accounts.by_id(session, number))
    raise refusal("no_audience")


def _chosen(name: str, what: str, account: Account | None) -> Audience:
    if account is None or account.state != "active":
        raise refusal("account_gone")
    if what == "to":
        return Audience(name, "private", account)
    if account.kind != "group":
        raise refusal("group_gone")
    return Audience(name, "group", account)


def _typed(session: Session, person: str, viewer_id: int | None) -> Audience:
    if not person:
        raise refusal("no_audience")
    found = find(session, person.lstrip("@#"), viewer_id)
    if len(found.exact) > 1:
        raise refusal("several_called", name=person[:40])
    if not found.exact:
        raise refusal("nobody_called", name=person[:40])
    account = accounts.by_id(session, found.exact[0].id)
    return _chosen(f"to:{found.exact[0].id}", "to", account)


def groups_to_post_in(session: Session, account_id: int) -> list[Account]:
    """The groups that one is in and may post to."""
    _, mine = follows.groups(session, account_id, None)
    return [group for group in mine if visibility.may_post(session, account_id, group)]
