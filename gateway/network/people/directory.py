"""Finds who or what a name means: the language's resolver over the real accounts. Workers hand `find` to the
grammar."""

from collections.abc import Iterable, Sequence
from typing import Final, cast

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from gateway.channels import EMAIL
from gateway.errors import Refused
from gateway.language.model.reading import GroupKind, Kind, NamedAccount, ResolvedName
from gateway.language.words.normalize import name_of, trim
from gateway.network.people.addresses import normal_mailbox
from gateway.network.people.handles import canonical_handle, plain
from gateway.store.tables import Account, Address, Alias
from gateway.store.views import another_follow

NEAR = 3  # choices that fit a text
EXACT = 9  # candidates that a digit can choose
EDITS = 2
CANDIDATES = 500  # compared letter by letter
AFTER_BLANK = "!"  # the character after a blank: names that begin with KEY and a blank sort between the two
LONGEST = 60
ACTIVE = Account.state == "active"


# Built once, for most commands name somebody.
BY_HANDLE: Final = select(Account).where(Account.handle == bindparam("handle"), ACTIVE)
_BEGINS: Final = and_(
    Account.kind == "person", Account.plain_name >= bindparam("first"), Account.plain_name < bindparam("end")
)
BY_NAME: Final = select(Account).where(or_(Account.plain_name == bindparam("key"), _BEGINS), ACTIVE).limit(CANDIDATES)


def find(session: Session, name: str, viewer_id: int | None) -> ResolvedName:
    """Looks for a handle, alias or employee number, then a mailbox, then a first or full name (accents do not count) or
    a group's name. The first of these that matches decides; several candidates are all in `exact`. When there is none:
    the nearest names, first those with whom `viewer_id` has to do. Only active accounts."""
    wanted = name_of(name)
    if not wanted or len(wanted) > LONGEST:
        return ResolvedName()
    key = plain(wanted)
    one = _by_mailbox(session, name) if "@" in wanted else _by_handle(session, wanted)
    if one is not None:
        return ResolvedName((find_named(one),), also=_also(session, key, one, viewer_id), oneself=one.id == viewer_id)
    one = _by_alias(session, wanted)
    if one is not None:
        return ResolvedName((find_named(one),), also=_others(session, key, one, viewer_id), oneself=one.id == viewer_id)
    exact = _by_name(session, key, viewer_id)
    if not exact:
        return ResolvedName(near=_nearest(session, key, viewer_id))
    return ResolvedName(exact, oneself=[each.id for each in exact] == [viewer_id])


def _also(session: Session, key: str, one: Account, viewer_id: int | None) -> tuple[NamedAccount, ...]:
    """Who else a handle may mean: people for a group's handle, a group for a person's. A person with the same name has
    another handle, so among people the handle decides."""
    return tuple(each for each in _others(session, key, one, viewer_id) if each.kind != one.kind)


def _others(session: Session, key: str, one: Account, viewer_id: int | None) -> tuple[NamedAccount, ...]:
    return tuple(each for each in _by_name(session, key, viewer_id) if each.id not in (one.id, viewer_id))


def find_named(account: Account) -> NamedAccount:
    """An account in the language's form."""
    access = cast("GroupKind | None", account.access)
    return NamedAccount(account.id, account.handle, cast("Kind", account.kind), account.name, access)


def _by_handle(session: Session, wanted: str) -> Account | None:
    return session.scalars(BY_HANDLE, {"handle": canonical_handle(wanted)}).one_or_none()


def _by_alias(session: Session, wanted: str) -> Account | None:
    called = and_(Alias.alias == canonical_handle(wanted).lower(), ACTIVE)
    return session.scalars(select(Account).join(Alias, Alias.account_id == Account.id).where(called)).one_or_none()


def _by_mailbox(session: Session, name: str) -> Account | None:
    try:
        wanted = normal_mailbox(trim(name))  # of the name as written: folding changes domains
    except Refused:
        return None
    mailbox = and_(Address.channel == EMAIL, Address.address == wanted)
    return session.scalars(select(Account).join(Address).where(mailbox, ACTIVE)).one_or_none()


def _by_name(session: Session, key: str, viewer_id: int | None) -> tuple[NamedAccount, ...]:
    """People by their first or full name and groups by theirs: a person who shares a group's name does not hide it."""
    rows = session.scalars(BY_NAME, {"key": key, "first": key + " ", "end": key + AFTER_BLANK}).all()
    others = [account for account in rows if account.id != viewer_id] or rows  # their own name means a namesake
    relation = _relations(session, others, viewer_id) if len(others) > 1 else {}
    ranked = sorted(others, key=lambda account: (relation.get(account.id, 0), account.handle))
    return tuple(find_named(account) for account in ranked[:EXACT])


def _nearest(session: Session, key: str, viewer_id: int | None) -> tuple[NamedAccount, ...]:
    """Names within two edits (one for the shortest). They are only offered as choices; nothing is ever sent to them."""
    allowed = EDITS if len(key) > 3 else 1
    first_name = func.split_part(Account.plain_name, " ", 1)
    columns: list[ColumnElement[str]] = [cast("ColumnElement[str]", Account.handle), first_name]
    if " " in key:
        columns.append(cast("ColumnElement[str]", Account.plain_name))
    similar = or_(*(_may_be_within(column, key, allowed) for column in columns))
    rows = session.scalars(select(Account).where(similar, ACTIVE, Account.id != (viewer_id or 0)).limit(CANDIDATES))
    distance = {account: min(edits(key, name, allowed) for name in _spellings(account)) for account in rows}
    near = [account for account in distance if distance[account] <= allowed]
    relation = _relations(session, near, viewer_id)
    ranked = sorted(near, key=lambda account: (relation[account.id], distance[account], account.handle))
    return tuple(find_named(account) for account in ranked[:NEAR])


def _spellings(account: Account) -> Iterable[str]:
    whole = account.plain_name
    return {account.handle, whole, whole.split(" ")[0]}


def _may_be_within(column: ColumnElement[str], key: str, allowed: int) -> ColumnElement[bool]:
    """A condition that every name within so many edits fulfils: a similar length, and few letters that only one of both
    has."""
    similar_length = func.length(column).between(len(key) - allowed, len(key) + allowed)
    foreign = func.length(func.translate(column, key, "")) <= allowed
    return and_(similar_length, foreign, func.length(func.translate(key, column, "")) <= allowed)


def _relations(session: Session, accounts: Sequence[Account], viewer_id: int | None) -> dict[int, int]:
    """How near each account is to the viewer: 0 the viewer follows it, 1 it follows the viewer, 2 they share a group, 3
    none of these."""
    viewer, mine, theirs, group = viewer_id or 0, another_follow(), another_follow(), aliased(Account)
    follows = exists().where(mine.follower_id == viewer, mine.account_id == Account.id)
    followed = exists().where(theirs.follower_id == Account.id, theirs.account_id == viewer)
    shared = (
        exists(select(mine.account_id).join(theirs, theirs.account_id == mine.account_id))
        .where(mine.follower_id == viewer, theirs.follower_id == Account.id)
        .where(mine.account_id == group.id, group.kind == "group")
    )
    relation = case((follows, 0), (followed, 1), (shared, 2), else_=3).label("relation")
    ranked = select(Account.id, relation).where(Account.id.in_([account.id for account in accounts]))
    return {row.id: row.relation for row in session.execute(ranked)}


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
