"""What is in force now, as the views say it: every state of a follow, a mute and an address; and that all who ask,
lists and pages too, say the same of one that has ended."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.network.follows import follows, mutes, reachability, tag_follows
from gateway.network.mail import unsubscribe
from gateway.network.people import accounts, addresses, listings
from gateway.network.people.directory import find
from gateway.store.database import transaction
from gateway.store.tables import Account, Address, Follow, Post, Silence, TopicFollow
from gateway.store.views import ADDRESSES, FOLLOWS, FollowInForce, SilenceInForce, TopicFollowInForce

HOUR = timedelta(hours=1)
MOMENTS = {None: None, "later": func.now() + HOUR, "now": func.now(), "over": func.now() - HOUR}


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


@pytest.fixture
def ids(session: Session) -> dict[str, int]:
    people = {handle: accounts.create_person(session, handle, handle.title()).id for handle in ("kim", "sam", "pat")}
    kinds = {"sales": "open", "board": "closed", "dispatch": "broadcast"}
    return people | {h: accounts.create_group(session, h, h, kind, people["pat"]).id for h, kind in kinds.items()}


def change(session: Session, follower: int, account: int, **values: object) -> None:
    mine = update(Follow).where(Follow.follower_id == follower, Follow.account_id == account)
    session.execute(mine.values(**values))
    session.expire_all()


@pytest.mark.parametrize(("state", "ends", "holds"), [
    ("active", None, True), ("active", "later", True), ("active", "now", False), ("active", "over", False),
    ("requested", None, False), ("requested", "later", False),
])  # fmt: skip
def test_a_follow(session: Session, ids: dict[str, int], state: str, ends: str | None, holds: bool) -> None:
    follows.follow(session, ids["sam"], ids["kim"], by_text=True)
    change(session, ids["sam"], ids["kim"], state=state, expires_at=MOMENTS[ends])
    row = session.scalars(select(FollowInForce).where(FollowInForce.follower_id == ids["sam"])).one_or_none()
    assert (row is not None) == holds
    assert row is None or isinstance(row, Follow)
    assert (follows.since(session, ids["sam"], ids["kim"]) is not None) == holds
    assert follows.set_off(session, ids["sam"], ids["kim"], True) == holds
    assert session.scalar(select(visibility.following(ids["sam"], ids["kim"]))) == holds


@pytest.mark.parametrize(("off", "ends", "now"), [
    (False, None, False), (False, "later", False), (True, None, True), (True, "later", True), (True, "now", False),
    (True, "over", False),
])  # fmt: skip
def test_a_follow_that_is_off(session: Session, ids: dict[str, int], off: bool, ends: str | None, now: bool) -> None:
    follows.follow(session, ids["sam"], ids["kim"], by_text=True)
    change(session, ids["sam"], ids["kim"], off=off, off_until=MOMENTS[ends])
    assert session.scalar(select(FOLLOWS.c.off_now).where(FOLLOWS.c.follower_id == ids["sam"])) == now


@pytest.mark.parametrize(("ends", "holds"), [(None, True), ("later", True), ("now", False), ("over", False)])
def test_a_follow_of_a_tag(session: Session, ids: dict[str, int], ends: str | None, holds: bool) -> None:
    tag_follows.follow(session, ids["sam"], "#win", by_text=True)
    session.execute(update(TopicFollow).values(expires_at=MOMENTS[ends]))
    assert bool(session.scalars(select(TopicFollowInForce)).all()) == holds
    assert (tag_follows.standing(session, ids["sam"], "#win") is not None) == holds
    assert bool(tag_follows.find_followed(session, ["win"])) == holds


@pytest.mark.parametrize(("ends", "holds"), [(None, True), ("later", True), ("now", False), ("over", False)])
def test_a_mute(session: Session, ids: dict[str, int], ends: str | None, holds: bool) -> None:
    mutes.put(session, ids["sam"], ids["kim"], mutes.MuteSnapshot("mute", None))
    session.execute(update(Silence).values(expires_at=MOMENTS[ends]))
    assert bool(session.scalars(select(SilenceInForce)).all()) == holds
    assert (mutes.find_mute(session, ids["sam"], ids["kim"]) is not None) == holds
    assert mutes.deaf_to(session, ids["kim"], [ids["sam"]]) == ({ids["sam"]} if holds else set())


def test_a_block_holds_until_it_is_lifted(session: Session, ids: dict[str, int]) -> None:
    mutes.block(session, ids["sam"], ids["kim"])
    assert mutes.are_apart(session, ids["kim"], ids["sam"])
    assert mutes.apart_from(session, ids["kim"], [ids["sam"], ids["pat"]]) == {ids["sam"]}
    mutes.lift(session, ids["sam"], ids["kim"])
    assert not mutes.are_apart(session, ids["kim"], ids["sam"])


@pytest.mark.parametrize(("receiving", "ends", "bounces", "off", "receives"), [
    (True, None, False, False, True), (True, "later", False, False, True), (False, None, False, True, False),
    (False, "later", False, True, False), (False, "now", False, False, True), (False, "over", False, False, True),
    (True, None, True, False, False), (False, "over", True, False, False),
])  # fmt: skip
def test_an_address(
    session: Session, ids: dict[str, int], receiving: bool, ends: str | None, bounces: bool, off: bool, receives: bool
) -> None:
    row = addresses.add(session, ids["sam"], "email", "sam@demo.example", "verified", True)
    since = func.now() if bounces else None
    session.execute(update(Address).values(receiving=receiving, off_until=MOMENTS[ends], bouncing_since=since))
    session.expire_all()
    found = session.execute(select(ADDRESSES.c.off_now, ADDRESSES.c.receives).where(ADDRESSES.c.id == row.id)).one()
    assert tuple(found) == (off, receives)
    assert (reachability.find_ready(session, [ids["sam"]], ids["kim"]).unreached == ()) == receives


def test_a_membership_that_has_ended_is_in_no_list(session: Session, ids: dict[str, int]) -> None:
    for group in ("sales", "dispatch"):
        follows.follow(session, ids["sam"], ids[group], by_text=True)
    assert [one.handle for one in listings.people(session, group_id=ids["sales"])] == ["pat", "sam"]
    assert [one.handle for one in reachability.broadcasts(session, ids["sam"])] == ["dispatch"]
    for group in ("sales", "dispatch"):
        change(session, ids["sam"], ids[group], expires_at=func.now() - HOUR)
    assert [one.handle for one in listings.people(session, group_id=ids["sales"])] == ["pat"]
    assert reachability.broadcasts(session, ids["sam"]) == []


def test_the_unsubscribe_page_lists_what_is_on_again(session: Session, ids: dict[str, int]) -> None:
    mailbox = addresses.add(session, ids["sam"], "email", "sam@demo.example", "verified", True)
    for source in ("kim", "sales"):
        follows.follow(session, ids["sam"], ids[source], by_text=False)
    ending = unsubscribe.pair(session, ids["kim"], mailbox.id)
    assert ending
    change(session, ids["sam"], ids["sales"], off=True, off_until=func.now() + HOUR)
    assert unsubscribe.others(session, ending).names == []
    change(session, ids["sam"], ids["sales"], off=True, off_until=func.now() - HOUR)
    assert unsubscribe.others(session, ending).names == ["sales (#sales)"]


def test_a_name_is_not_nearer_for_a_follow_that_has_ended(session: Session, ids: dict[str, int]) -> None:
    near, far = (accounts.create_person(session, f"lee{n}", "Lee Long").id for n in (1, 2))
    follows.follow(session, ids["sam"], far, by_text=True)
    assert [one.id for one in find(session, "lee", ids["sam"]).exact][:1] == [far]
    change(session, ids["sam"], far, expires_at=func.now() - HOUR)
    assert [one.id for one in find(session, "lee", ids["sam"]).exact] == [near, far]


def test_who_may_post_to_a_closed_group(session: Session, ids: dict[str, int]) -> None:
    board = session.get_one(Account, ids["board"])
    follows.follow(session, ids["sam"], board.id, by_text=True, role="member")
    assert visibility.may_post(session, ids["sam"], board)
    change(session, ids["sam"], board.id, expires_at=func.now() - HOUR)
    assert not visibility.may_post(session, ids["sam"], board)


def test_a_closed_group_is_read_while_the_membership_lasts(session: Session, ids: dict[str, int]) -> None:
    post = Post(author_id=ids["pat"], group_id=ids["board"], visibility="group", text="minutes", via="cli")
    session.add(post)
    session.flush()
    follows.follow(session, ids["sam"], ids["board"], by_text=True, role="member")
    assert visibility.may_read(session, ids["sam"], post.id)
    change(session, ids["sam"], ids["board"], expires_at=func.now() - HOUR)
    assert not visibility.may_read(session, ids["sam"], post.id)
