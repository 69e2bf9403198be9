"""Following a person, joining a group, and leaving both. Handlers, the import and the demo call it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, CursorResult, and_, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.i18n.refusals import refusal
from gateway.network.audience.visibility import blocked
from gateway.store.tables import Account, Follow, Post
from gateway.store.views import FollowInForce

Followed = Literal["followed", "already", "requested"]
DAYS = 14  # looked back to say how many items a day to expect


def follow(
    session: Session,
    follower_id: int,
    account_id: int,
    by_text: bool,
    expires_at: datetime | None = None,
    role: str | None = None,
) -> Followed:
    """Makes `follower_id` follow the person or group; joining a group is the same. A closed group is asked first,
    unless a role is given. "already": nothing changed but perhaps the end of the follow. Raises Refused for oneself and
    for who is not active. It never takes texts away: a follow asked for from a phone stays by text."""
    account = _followable(session, follower_id, account_id)
    state = "requested" if account.access == "closed" and role is None else "active"
    wanted = Follow(
        follower_id=follower_id,
        account_id=account_id,
        role=role or default_role(account),
        state=state,
        by_text=by_text,
        expires_at=expires_at,
    )
    return _insert(session, wanted) or _renew(session, wanted, keep_role=role is None)


def _followable(session: Session, follower_id: int, account_id: int) -> Account:
    account = session.get(Account, account_id)
    if account is None or account.state != "active":
        raise refusal("account_not_there")
    if follower_id == account_id:
        raise refusal("follow_of_self")
    if account.kind == "person" and session.scalar(select(blocked(literal(follower_id), literal(account_id)))):
        raise refusal("apart", name=account.name)
    return account


def default_role(account: Account) -> str:
    """The role of a new follower: a member in an open or closed group; people and broadcast groups are only
    followed."""
    return "member" if account.access in ("open", "closed") else "follower"


def _insert(session: Session, wanted: Follow) -> Followed | None:
    columns = ("follower_id", "account_id", "role", "state", "by_text", "expires_at")
    row = insert(Follow).values({column: getattr(wanted, column) for column in columns})
    if session.scalar(row.on_conflict_do_nothing().returning(Follow.account_id)) is None:
        return None
    return "requested" if wanted.state == "requested" else "followed"


def _renew(session: Session, wanted: Follow, keep_role: bool) -> Followed:
    """Follows once more: the follow is on again, comes one by one, ends when the new one does, and is by text if either
    was asked for so.
    A follow that is off stays off when others give the follower a role."""
    keys = (Follow.follower_id == wanted.follower_id, Follow.account_id == wanted.account_id)
    locked = select(Follow).where(*keys).with_for_update().execution_options(populate_existing=True)
    row = session.scalars(locked).one()
    # It is asked once the row is locked, for others may have changed it until then.
    in_force = since(session, wanted.follower_id, wanted.account_id) is not None
    role = row.role if keep_role else wanted.role
    same = in_force and not row.off and row.by_text >= wanted.by_text and role == row.role and row.way is None
    if not in_force:
        row.state = wanted.state
    row.role, row.by_text, row.expires_at = role, row.by_text or wanted.by_text, wanted.expires_at
    if keep_role or not in_force:
        row.off, row.off_until, row.way = False, None, None
    session.flush()
    if row.state == "requested":
        return "requested"
    return "already" if same else "followed"


def unfollow(session: Session, follower_id: int, account_id: int) -> Follow | None:
    """Ends a follow, a membership or a request. Returns the row as it was, for `undo`; None when there was none."""
    gone = delete(Follow).where(Follow.follower_id == follower_id, Follow.account_id == account_id)
    return session.scalars(gone.returning(Follow)).one_or_none()


def pack(row: Follow) -> dict[str, Any]:
    """A follow that ended, as an effect keeps it."""
    state = {column: getattr(row, column) for column in KEPT}
    return {column: value.isoformat() if isinstance(value, datetime) else value for column, value in state.items()}


def restore(session: Session, state: dict[str, Any]) -> None:
    """Brings a follow back as it was, unless there is a new one."""
    values = {**state, **{each: datetime.fromisoformat(state[each]) for each in TIMES if state[each]}}
    session.execute(insert(Follow).values(values).on_conflict_do_nothing())


TIMES = ("off_until", "expires_at", "created_at")
KEPT = ("follower_id", "account_id", "role", "state", "by_text", "off", "way", *TIMES)


def approve(session: Session, follower_id: int, group_id: int) -> bool:
    """Grants an owner's yes to a request; False when nobody asks."""
    asked = update(Follow).where(Follow.follower_id == follower_id, Follow.account_id == group_id)
    result = session.execute(asked.where(Follow.state == "requested").values(state="active"))
    return cast("CursorResult[Any]", result).rowcount == 1


def set_off(session: Session, follower_id: int, account_id: int, off: bool, until: datetime | None = None) -> bool:
    """`off NAME` and `on NAME`: the follow stays, nothing of it is sent. False when there is no such follow."""
    if since(session, follower_id, account_id) is None:
        return False
    mine = update(Follow).where(Follow.follower_id == follower_id, Follow.account_id == account_id)
    result = session.execute(mine.values(off=off, off_until=until if off else None))
    return cast("CursorResult[Any]", result).rowcount == 1


def since(session: Session, follower_id: int, account_id: int) -> datetime | None:
    """When a follow that is in force began."""
    mine = FollowInForce.follower_id == follower_id, FollowInForce.account_id == account_id
    return session.scalar(select(FollowInForce.created_at).where(*mine))


def role_in(session: Session, account_id: int, group_id: int) -> str | None:
    """owner, poster, member or follower; None outside the group."""
    mine = FollowInForce.follower_id == account_id, FollowInForce.account_id == group_id
    return session.scalar(select(FollowInForce.role).where(*mine))


def followers(
    session: Session, account_id: int, limit: int = 10, *, seen_by: int | None = None
) -> tuple[int, Sequence[Account]]:
    """How many follow a person or a group, and the first of them, without those whom a block hides from `seen_by`."""
    shown = [~blocked(literal(seen_by), FollowInForce.follower_id)] if seen_by else []
    return _counted(session, FollowInForce.follower_id, limit, FollowInForce.account_id == account_id, *shown)


def following(session: Session, account_id: int, limit: int = 10) -> tuple[int, Sequence[Account]]:
    """How many people somebody follows, and the first of them."""
    return _counted(
        session, FollowInForce.account_id, limit, FollowInForce.follower_id == account_id, Account.kind == "person"
    )


def groups(session: Session, account_id: int, limit: int | None = 10) -> tuple[int, Sequence[Account]]:
    """How many groups somebody is in, and the first of them."""
    return _counted(
        session, FollowInForce.account_id, limit, FollowInForce.follower_id == account_id, Account.kind == "group"
    )


def members(session: Session, group_id: int, limit: int | None = None) -> tuple[int, Sequence[Account]]:
    """The members of a group: everyone in an open or closed one, the owners and posters in a broadcast one."""
    group = session.get_one(Account, group_id)
    who = (
        FollowInForce.role.in_(["owner", "poster"]) if group.access == "broadcast" else FollowInForce.role.is_not(None)
    )
    return _counted(session, FollowInForce.follower_id, limit, FollowInForce.account_id == group_id, who)


def posters(session: Session, group_id: int) -> Sequence[Account]:
    """Owners and posters: they write in a broadcast group, and get what its readers answer."""
    may_post = FollowInForce.role.in_(["owner", "poster"])
    return _counted(session, FollowInForce.follower_id, None, FollowInForce.account_id == group_id, may_post)[1]


def _counted(
    session: Session, shown: Any, limit: int | None, *where: ColumnElement[bool]
) -> tuple[int, Sequence[Account]]:
    chosen = select(Account).join(FollowInForce, shown == Account.id).where(*where, Account.state == "active")
    rows = session.scalars(chosen.order_by(shown).limit(limit)).all()
    if limit is None or len(rows) < limit:
        return len(rows), rows
    return session.scalar(select(func.count()).select_from(chosen.subquery())) or 0, rows


def per_day(session: Session, account_id: int) -> float:
    """How many items a day to expect from a person or a group, measured over its last two weeks, or over its life if
    that is shorter."""
    account = session.get_one(Account, account_id)
    mine = (
        Post.group_id == account_id
        if account.kind == "group"
        else and_(Post.author_id == account_id, Post.group_id.is_(None))
    )
    recent = and_(mine, Post.visibility != "direct", Post.deleted_at.is_(None))
    since = func.id_at(func.now() - func.make_interval(0, 0, 0, DAYS))
    count = session.scalar(select(func.count()).where(recent, Post.id >= since)) or 0
    days = session.scalar(select(func.extract("epoch", func.now() - account.created_at) / 86_400))
    return count / min(max(float(days or 0), 1.0), DAYS)
