"""Who or what is called this: the language's resolver over the real accounts. Workers hand `find` to the grammar."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from gateway.language.named import Found, GroupKind, Kind, Named
from gateway.language.wording import name_of
from gateway.network.handles import canonical_handle, plain
from gateway.store.tables import Account, Address, Follow

NEAR = 3  # choices that fit a text
EXACT = 9  # candidates that have a digit
EDITS = 2
CANDIDATES = 500  # compared letter by letter
LONGEST = 60
ACTIVE = Account.state == "active"


def find(session: Session, name: str, viewer_id: int | None) -> Found:
    """Handle, then mailbox, then a first or full name (accents do not count), then a group's name; the first that is
    anyone decides, several candidates are all in `exact`. When it is nobody: the nearest names, those that
    `viewer_id` has to do with first. Only active accounts."""
    wanted = name_of(name)
    if not wanted or len(wanted) > LONGEST:
        return Found()
    one = _by_mailbox(session, wanted) if "@" in wanted else _by_handle(session, wanted)
    if one is not None:
        return Found(exact=(named(one),))
    key = plain(wanted)
    exact = _by_name(session, key, viewer_id)
    return Found(exact=exact) if exact else Found(near=_nearest(session, key, viewer_id))


def named(account: Account) -> Named:
    """An account as the language knows it."""
    access = cast("GroupKind | None", account.access)
    return Named(account.id, account.handle, cast("Kind", account.kind), account.name, access)


def _by_handle(session: Session, wanted: str) -> Account | None:
    return session.scalars(select(Account).where(Account.handle == canonical_handle(wanted), ACTIVE)).one_or_none()


def _by_mailbox(session: Session, wanted: str) -> Account | None:
    mailbox = and_(Address.channel == "email", Address.address == wanted)
    return session.scalars(select(Account).join(Address).where(mailbox, ACTIVE)).one_or_none()


def plain_column(name: Any) -> ColumnElement[str]:
    """handles.plain in the database; ASCII names, nearly all of them, take the cheap road."""
    apart = func.lower(func.pg_catalog.normalize(name, "NFKD"))
    bare = func.regexp_replace(apart, "[\u0300-\u036f]", "", "g")
    return case((func.octet_length(name) == func.length(name), func.lower(name)), else_=bare)


def _by_name(session: Session, key: str, viewer_id: int | None) -> tuple[Named, ...]:
    name = plain_column(Account.name)
    person = and_(Account.kind == "person", or_(name == key, func.starts_with(name, key + " ")))
    group = and_(Account.kind == "group", name == key)
    rows = _nearby(session, or_(person, group), viewer_id, EXACT + 1)
    found = [one for one in rows if one.account.kind == "person"] or rows
    others = [one for one in found if one.account.id != viewer_id] or found  # a namesake who asks means the other one
    return tuple(named(one.account) for one in others[:EXACT])


def _nearest(session: Session, key: str, viewer_id: int | None) -> tuple[Named, ...]:
    """Names within two edits (one for the shortest): only ever choices, never sent to."""
    allowed = EDITS if len(key) > 3 else 1
    first_name = func.split_part(plain_column(Account.name), " ", 1)
    columns: list[ColumnElement[str]] = [cast("ColumnElement[str]", Account.handle), first_name]
    if " " in key:
        columns.append(plain_column(Account.name))
    similar = or_(*(_may_be_within(column, key, allowed) for column in columns))
    ranked = sorted(
        (one.relation, distance, one.account.handle, one.account)
        for one in _nearby(session, and_(similar, Account.id != (viewer_id or 0)), viewer_id, CANDIDATES)
        if (distance := min(edits(key, name, allowed) for name in _spellings(one.account))) <= allowed
    )
    return tuple(named(account) for *_, account in ranked[:NEAR])


def _spellings(account: Account) -> Iterable[str]:
    whole = plain(account.name)
    return {account.handle, whole, whole.split(" ")[0]}


def _may_be_within(column: ColumnElement[str], key: str, allowed: int) -> ColumnElement[bool]:
    """What a name within so many edits cannot fail: a like length, and few letters that the key has not."""
    similar_length = func.length(column).between(len(key) - allowed, len(key) + allowed)
    return and_(similar_length, func.length(func.translate(column, key, "")) <= allowed)


@dataclass(frozen=True, slots=True)
class _Nearby:
    """An account, and how near the one who asks stands to it: 0 follows it, 1 is followed, 2 shares a group, 3 none."""

    account: Account
    relation: int


def _nearby(session: Session, where: ColumnElement[bool], viewer_id: int | None, limit: int) -> list[_Nearby]:
    relation = _relation(viewer_id or 0).label("relation")
    wanted = select(Account, relation).where(where, ACTIVE).order_by(relation, Account.handle).limit(limit)
    return [_Nearby(account, rank) for account, rank in session.execute(wanted)]


def _relation(viewer_id: int) -> ColumnElement[int]:
    mine, theirs, group = aliased(Follow), aliased(Follow), aliased(Account)
    follows = exists().where(mine.follower_id == viewer_id, mine.account_id == Account.id)
    followed = exists().where(theirs.follower_id == Account.id, theirs.account_id == viewer_id)
    shared = (
        exists(select(mine.account_id).join(theirs, theirs.account_id == mine.account_id))
        .where(mine.follower_id == viewer_id, theirs.follower_id == Account.id)
        .where(mine.account_id == group.id, group.kind == "group")
    )
    return case((follows, 0), (followed, 1), (shared, 2), else_=3)


def edits(one: str, other: str, most: int) -> int:
    """Damerau–Levenshtein distance (a swap of neighbours is one edit), or `most` + 1 when it is larger."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        above, row = row, [i]
        for j, wanted in enumerate(other, 1):
            step = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                step = min(step, before[j - 2] + 1)
            row.append(step)
        if min(row) > most:
            return most + 1
        before = above
    return min(row[-1], most + 1)
