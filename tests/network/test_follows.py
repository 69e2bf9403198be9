"""Following, joining and leaving."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.network.follows import follows
from gateway.network.people import accounts
from gateway.store.database import transaction
from gateway.store.tables import Follow, Post


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


@pytest.fixture
def ids(session: Session) -> dict[str, int]:
    people = {handle: accounts.create_person(session, handle, handle.title()).id for handle in ("kim", "sam", "pat")}
    kinds = {"sales": "open", "board": "closed", "dispatch": "broadcast"}
    groups = {h: accounts.create_group(session, h, h, access, people["pat"]).id for h, access in kinds.items()}
    return people | groups


def row(session: Session, follower: int, account: int) -> Follow:
    return session.get_one(Follow, (follower, account), populate_existing=True)


def test_following_a_person(session: Session, ids: dict[str, int]) -> None:
    assert follows.follow(session, ids["sam"], ids["kim"], by_text=True) == "followed"
    assert follows.follow(session, ids["sam"], ids["kim"], by_text=True) == "already"
    assert follows.follow(session, ids["sam"], ids["kim"], by_text=False) == "already"
    mine = row(session, ids["sam"], ids["kim"])
    assert (mine.role, mine.by_text, mine.state) == ("follower", True, "active")


def test_nobody_follows_themselves_or_who_is_gone(session: Session, ids: dict[str, int]) -> None:
    with pytest.raises(Refused, match="That is you"):
        follows.follow(session, ids["kim"], ids["kim"], by_text=True)
    accounts.deactivate(session, ids["sam"])
    with pytest.raises(Refused):
        follows.follow(session, ids["kim"], ids["sam"], by_text=True)


def test_joining_makes_a_member_and_a_broadcast_group_is_only_heard(session: Session, ids: dict[str, int]) -> None:
    follows.follow(session, ids["kim"], ids["sales"], by_text=True)
    follows.follow(session, ids["kim"], ids["dispatch"], by_text=True)
    assert follows.role_in(session, ids["kim"], ids["sales"]) == "member"
    assert follows.role_in(session, ids["kim"], ids["dispatch"]) == "follower"
    assert follows.role_in(session, ids["pat"], ids["dispatch"]) == "owner"
    assert [one.handle for one in follows.posters(session, ids["dispatch"])] == ["pat"]
    assert follows.members(session, ids["sales"])[0] == 2
    assert follows.members(session, ids["dispatch"])[0] == 1


def test_a_closed_group_is_asked(session: Session, ids: dict[str, int]) -> None:
    assert follows.follow(session, ids["kim"], ids["board"], by_text=True) == "requested"
    assert follows.follow(session, ids["kim"], ids["board"], by_text=True) == "requested"
    assert follows.role_in(session, ids["kim"], ids["board"]) is None
    assert follows.members(session, ids["board"])[0] == 1
    assert follows.approve(session, ids["kim"], ids["board"])
    assert not follows.approve(session, ids["kim"], ids["board"])
    assert follows.role_in(session, ids["kim"], ids["board"]) == "member"
    assert follows.follow(session, ids["kim"], ids["board"], by_text=True) == "already"
    assert follows.follow(session, ids["sam"], ids["board"], by_text=True, role="member") == "followed"


def test_asking_by_phone_brings_texts(session: Session, ids: dict[str, int]) -> None:
    follows.follow(session, ids["sam"], ids["kim"], by_text=False)
    assert follows.follow(session, ids["sam"], ids["kim"], by_text=True) == "followed"
    assert row(session, ids["sam"], ids["kim"]).by_text


def test_a_follow_with_an_end(session: Session, ids: dict[str, int]) -> None:
    now = session.scalar(select(func.now()))
    assert now is not None
    follows.follow(session, ids["sam"], ids["kim"], True, expires_at=now - timedelta(minutes=1))
    assert follows.followers(session, ids["kim"]) == (0, [])
    assert follows.follow(session, ids["sam"], ids["kim"], True, expires_at=now + timedelta(days=1)) == "followed"
    assert follows.followers(session, ids["kim"])[0] == 1
    assert follows.follow(session, ids["sam"], ids["kim"], True) == "already"
    assert row(session, ids["sam"], ids["kim"]).expires_at is None


def test_leaving(session: Session, ids: dict[str, int]) -> None:
    follows.follow(session, ids["sam"], ids["kim"], by_text=True)
    was = follows.unfollow(session, ids["sam"], ids["kim"])
    assert was is not None
    assert (was.role, was.by_text) == ("follower", True)
    assert follows.unfollow(session, ids["sam"], ids["kim"]) is None
    assert follows.follow(session, ids["sam"], ids["kim"], by_text=True) == "followed"


def test_off_and_following_again(session: Session, ids: dict[str, int]) -> None:
    assert not follows.set_off(session, ids["sam"], ids["kim"], True)
    follows.follow(session, ids["sam"], ids["kim"], by_text=True)
    assert follows.set_off(session, ids["sam"], ids["kim"], True)
    assert row(session, ids["sam"], ids["kim"]).off
    assert follows.follow(session, ids["sam"], ids["kim"], by_text=True) == "followed"
    assert not row(session, ids["sam"], ids["kim"]).off


def test_lists_count_all_and_show_some(session: Session, ids: dict[str, int]) -> None:
    for follower in ("sam", "pat"):
        follows.follow(session, ids[follower], ids["kim"], by_text=True)
    follows.follow(session, ids["sam"], ids["sales"], by_text=True)
    count, first = follows.followers(session, ids["kim"], limit=1)
    assert (count, len(first)) == (2, 1)
    assert [one.handle for one in follows.following(session, ids["sam"])[1]] == ["kim"]
    assert [one.handle for one in follows.groups(session, ids["sam"])[1]] == ["sales"]
    assert follows.groups(session, ids["pat"])[0] == 3


def test_how_many_a_day_to_expect(session: Session, ids: dict[str, int]) -> None:
    for group in (None, None, ids["sales"]):
        session.add(
            Post(author_id=ids["kim"], group_id=group, visibility="group" if group else "company", text="x", via="cli")
        )
    session.add(Post(author_id=ids["kim"], visibility="direct", text="x", via="cli"))
    session.flush()
    assert follows.per_day(session, ids["kim"]) == 2.0
    assert follows.per_day(session, ids["sales"]) == 1.0
    assert follows.per_day(session, ids["sam"]) == 0.0
