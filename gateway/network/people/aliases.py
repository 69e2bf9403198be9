"""Other words for a person or group: nicknames, employee numbers. The command line and the import call it."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.i18n.refusals import refusal
from gateway.network.people.handles import RESERVED, canonical_handle
from gateway.store.tables import Account, Alias
from gateway.typed_input import show_escaped

_ALIAS = re.compile(r"\w(?:[\w.'-]{0,38}\w)?")  # one word of a text, as the language cuts it


@dataclass(frozen=True, slots=True)
class AliasRow:
    """One word and whose it is; kind: alias or employee_id, or handle."""

    word: str
    handle: str
    kind: str


def normal_alias(text: str, reserved: Collection[str] = ()) -> str:
    """The one form an alias or an employee's number is kept and compared in; raises Refused for what cannot be one."""
    alias = canonical_handle(text).lower()
    if not _ALIAS.fullmatch(alias):
        raise refusal("bad_alias", word=show_escaped(alias))
    if alias in RESERVED or alias in reserved:
        raise refusal("reserved_alias", word=alias)
    return alias


def of(session: Session, account_id: int) -> list[AliasRow]:
    """The aliases of an account, in alphabetical order."""
    return _called(session, Alias.account_id == account_id)


def owners(session: Session, words: Iterable[str]) -> dict[str, AliasRow]:
    """Whose alias or number each of the words is, whatever the state of the account."""
    return {one.word: one for one in _called(session, Alias.alias.in_(list(words)))}


def _called(session: Session, which: object) -> list[AliasRow]:
    rows = select(Alias.alias, Account.handle, Alias.kind).join(Account, Account.id == Alias.account_id)
    return [AliasRow(*row) for row in session.execute(rows.where(which).order_by(Alias.alias))]  # type: ignore[arg-type]


def add(session: Session, account: Account, text: str, reserved: Collection[str] = (), kind: str = "alias") -> bool:
    """Gives an account one more alias; False when it has it already. Raises Refused for a taken one."""
    alias = normal_alias(text, reserved)
    taken = owners(session, [alias]).get(alias)
    if taken is not None and taken.handle == account.handle:
        return False
    if taken is not None:
        raise refusal("taken_by_alias", word=alias, handle=taken.handle)
    if session.scalar(select(Account.id).where(Account.handle == alias)) is not None:
        raise refusal("alias_is_handle", word=alias)
    session.add(Alias(alias=alias, account_id=account.id, kind=kind))
    session.flush()
    return True


def remove(session: Session, account: Account, text: str) -> bool:
    """Removes an alias; whether the account had it."""
    mine = delete(Alias).where(Alias.account_id == account.id, Alias.alias == canonical_handle(text).lower())
    return bool(session.scalars(mine.returning(Alias.alias)).all())


def hidden(session: Session, verbs: Collection[str]) -> Sequence[AliasRow]:
    """Active accounts whose handle or alias is a verb now: as the first word of a text it is the command."""
    handles = select(Account.handle).where(Account.handle.in_(verbs), Account.state == "active")
    called = [AliasRow(handle, handle, "handle") for handle in session.scalars(handles.order_by(Account.handle))]
    return [*called, *_called(session, Alias.alias.in_(verbs) & (Account.state == "active"))]


def keep(session: Session, given: Mapping[str, tuple[int, str]]) -> int:
    """Stores the checked words of an import, each with its account and kind. Those that exist stay, but a new employee
    number replaces the old one. Returns how many are new."""
    numbered = [account_id for account_id, kind in given.values() if kind == "employee_id"]
    old = delete(Alias).where(Alias.account_id.in_(numbered), Alias.kind == "employee_id", Alias.alias.not_in(given))
    session.execute(old)
    known = owners(session, given)
    fresh = [
        Alias(alias=word, account_id=whose, kind=kind) for word, (whose, kind) in given.items() if word not in known
    ]
    session.add_all(fresh)
    session.flush()
    return len(fresh)
