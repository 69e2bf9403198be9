"""People and groups: handles, finding them by name, and what deactivation cuts."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine, Text, cast, func, select
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.network.follows import follows
from gateway.network.people import accounts, addresses, directory
from gateway.network.people.handles import clean_name, handle_problem, plain
from gateway.store.database import transaction
from gateway.store.tables import Account, Address, Conversation, Delivery, Draft, Follow, Message


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


def person(session: Session, handle: str, name: str) -> Account:
    return accounts.create_person(session, handle, name)


@given(st.text(max_size=30))
@example("ᴮᴵᴳᴮᴵᴿᴰ")  # the name that took over accounts at Spotify
@example("ſ\u0345")
@example("@ @kim")
def test_a_canonical_handle_stays_as_it_is(text: str) -> None:
    once = accounts.canonical_handle(text)
    assert accounts.canonical_handle(once) == once


@given(st.text(min_size=2, max_size=20))
def test_only_plain_letters_make_a_handle(text: str) -> None:
    canonical = accounts.canonical_handle(text)
    if handle_problem(canonical) is None:
        assert canonical.isascii()
        assert canonical == canonical.lower()


def test_another_spelling_of_a_handle_is_taken(session: Session) -> None:
    person(session, "kim", "Kim Lee")
    for taken in ["Kim", "KIM", "@kim", "ＫＩＭ", "ᴷᴵᴹ", "\u212aim", "kim "]:
        with pytest.raises(Refused, match="taken"):
            person(session, taken, "Mallory")


def test_a_lookalike_of_a_handle_is_refused(session: Session) -> None:
    person(session, "kim", "Kim Lee")
    for lookalike in ["kіm", "ĸim", "k\u200bim", "kim\u202e", "κim", "kım", "kímː", "k im", "k"]:
        with pytest.raises(Refused, match=r"cannot be a handle|taken"):
            person(session, lookalike, "Mallory")


def test_reserved_words_are_no_handles(session: Session) -> None:
    for word in ["stop", "STOP", "unstop", "yes", "postmaster", "r", "follow", "critter"]:
        with pytest.raises(Refused):
            accounts.check_handle(session, word, reserved={"follow"})


def test_a_name_shows_no_tricks() -> None:
    assert clean_name("  Kim\t\u202eLee\u0000 ") == "Kim Lee"
    for bad in ("", " \u200d ", "x" * 61):
        with pytest.raises(Refused):
            clean_name(bad)


def test_a_handle_is_never_given_twice(engine: Engine) -> None:
    with transaction(engine) as one:
        person(one, "kim", "Kim Lee")
    with transaction(engine) as two, pytest.raises(Refused):
        accounts.create_group(two, "kim", "Kims", "open")


def test_groups_have_an_owner(session: Session) -> None:
    ann = person(session, "ann", "Ann Bell")
    news = accounts.create_group(session, "news", "News", "broadcast", ann.id)
    assert follows.role_in(session, ann.id, news.id) == "owner"
    with pytest.raises(Refused, match="open, closed or broadcast"):
        accounts.create_group(session, "odd", "Odd", "secret")


def test_roles(session: Session) -> None:
    ann = person(session, "ann", "Ann Bell")
    accounts.set_role(session, ann.id, "operator")
    assert accounts.by_id(session, ann.id).role == "operator"  # type: ignore[union-attr]
    with pytest.raises(Refused):
        accounts.set_role(session, ann.id, "king")
    with pytest.raises(Refused):
        accounts.set_role(session, accounts.create_group(session, "acme", "ACME", "open").id, "admin")


@pytest.fixture
def company(session: Session) -> dict[str, Account]:
    people = {"kim": "Kim Lee", "jose": "José Díaz", "kimp": "Kim Park", "zoe_b": "Zoë Brandt", "anne": "Anne Cole"}
    made = {handle: person(session, handle, name) for handle, name in people.items()}
    made["joe2"] = person(session, "joe2", "Łukasz Iwański")
    made["acme"] = accounts.create_group(session, "acme", "ACME", "open")
    made["team"] = accounts.create_group(session, "sales_west", "Sales West", "closed")
    addresses.add(session, made["zoe_b"].id, "email", "zoe@demo.example")
    return made


def test_find_exactly(session: Session, company: dict[str, Account]) -> None:
    names = [
        ("kim", "kim"),
        ("@KIM", "kim"),
        ("kim,", "kim"),
        ("Kim Park", "kimp"),
        ("zoe", "zoe_b"),
        ("ZOË", "zoe_b"),
        ("Zoe\u0308", "zoe_b"),
        ("jose diaz", "jose"),
        ("José", "jose"),
        ("zoe@demo.example", "zoe_b"),
        ("#acme", "acme"),
        ("sales west", "sales_west"),
        ("łukasz", "joe2"),
    ]
    for name, handle in names:
        found = accounts.find(session, name, company["anne"].id)
        assert [one.handle for one in found.exact] == [handle]
        assert not found.near


def test_a_first_name_of_several_is_ambiguous_and_the_one_i_follow_comes_first(
    session: Session, company: dict[str, Account]
) -> None:
    person(session, "zed", "Zoe Abel")
    follows.follow(session, company["anne"].id, company["zoe_b"].id, by_text=True)
    assert [one.handle for one in accounts.find(session, "zoe", company["anne"].id).exact] == ["zoe_b", "zed"]
    assert [one.handle for one in accounts.find(session, "zoe", company["zoe_b"].id).exact] == ["zed"]


def handles(found: tuple[directory.NamedAccount, ...]) -> list[str]:
    return [one.handle for one in found]


def test_a_person_and_a_group_of_one_name_are_several(session: Session) -> None:
    me = person(session, "mia", "Mia Myself")
    accounts.create_group(session, "pat", "Patrol", "open")
    accounts.create_group(session, "ales_all", "Ales", "open")
    for handle, name in [("patq", "Pat Quinn"), ("sal", "Sal Ales"), ("alesx", "Ales Novák")]:
        person(session, handle, name)
    found = accounts.find(session, "PAT", me.id)
    assert (handles(found.exact), handles(found.also)) == (["pat"], ["patq"])
    assert handles(accounts.find(session, "Aleš", me.id).exact) == ["ales_all", "alesx"]
    assert accounts.find(session, "sal", me.id).also == ()
    person(session, "patrol", "Rolf Pat")
    assert handles(accounts.find(session, "patrol", me.id).also) == ["pat"]
    assert accounts.find(session, "mia", me.id).oneself


def test_who_is_nobody(session: Session, company: dict[str, Account]) -> None:
    for name in ["", "@", "x" * 70, "nobody", "100%", "a_c", "%", "\\", "'"]:
        assert accounts.find(session, name, None).exact == ()


def test_the_nearest_names_rank_those_i_have_to_do_with_first(session: Session, company: dict[str, Account]) -> None:
    assert [one.handle for one in accounts.find(session, "ACNE", None).near] == ["acme", "anne"]
    follows.follow(session, company["kim"].id, company["anne"].id, by_text=True)
    assert [one.handle for one in accounts.find(session, "ACNE", company["kim"].id).near] == ["anne", "acme"]
    follows.follow(session, company["jose"].id, company["acme"].id, by_text=True)
    follows.follow(session, company["anne"].id, company["acme"].id, by_text=True)
    assert [one.handle for one in accounts.find(session, "anen", company["jose"].id).near] == ["anne"]


def test_at_most_three_near_names_and_never_oneself(session: Session, company: dict[str, Account]) -> None:
    for letter in "abcde":
        person(session, f"ban{letter}", f"Person {letter}")
    near = accounts.find(session, "banx", accounts.by_handle(session, "bana").id).near  # type: ignore[union-attr]
    assert [one.handle for one in near] == ["banb", "banc", "band"]


def test_only_the_active_are_found(session: Session, company: dict[str, Account]) -> None:
    accounts.deactivate(session, company["kim"].id)
    assert [one.handle for one in accounts.find(session, "kim", None).exact] == ["kimp"]
    assert accounts.by_handle(session, "kim") is None
    assert accounts.by_handle(session, "kim", active=False) is not None


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_edits_are_a_distance(one: str, other: str) -> None:
    assert directory.edits(one, other, 9) == directory.edits(other, one, 9)
    assert (directory.edits(one, other, 9) == 0) == (one == other)
    assert directory.edits(one, other, 2) == min(directory.edits(one, other, 9), 3)


def test_edits() -> None:
    assert directory.edits("slaes", "sales", 2) == 1
    assert directory.edits("acne", "anne", 2) == 1
    assert directory.edits("kim", "bob", 2) == 3


def test_the_database_folds_names_as_we_do(session: Session) -> None:
    for name in ["Kim Lee", "José DÍAZ", "Zoe\u0308 Brandt", "ŁUKASZ", "Ngô Thị Hương", "Ωmega", "ﬁnn", "Ｋim"]:
        theirs = session.scalar(select(func.plain_name(cast(name, Text))))
        assert theirs == plain(name)


def test_deactivation_cuts_everything_at_once(session: Session, company: dict[str, Account]) -> None:
    kim, anne = company["kim"].id, company["anne"].id
    phone = addresses.add(session, kim, "sms", "+14155550101")
    stopped = addresses.add(session, kim, "sms", "+14155550102")
    addresses.stop(session, stopped, "STOP")
    follows.follow(session, kim, anne, by_text=True)
    follows.follow(session, anne, kim, by_text=True)
    message = Message(kind="notice", text="Hi", subject="Hi", body="Hi")
    session.add_all([message, Conversation(address_id=phone.id), _draft(session, kim)])
    session.flush()
    session.add(_delivery(session, message.id, phone.id))
    session.flush()

    assert accounts.deactivate(session, kim)
    session.expire_all()
    assert session.scalars(select(Address.state).where(Address.account_id == kim).order_by(Address.id)).all() == [
        "suspended",
        "stopped",
    ]
    assert session.scalars(select(Follow)).all() == []
    assert session.scalars(select(Draft)).all() == []
    assert session.scalars(select(Conversation)).all() == []
    delivery = session.scalars(select(Delivery)).one()
    assert (delivery.state, delivery.reason) == ("cancelled", "deactivated")
    assert delivery.ended_at
    assert addresses.identify(session, "sms", "+14155550101") is None
    assert not accounts.deactivate(session, kim)


def _draft(session: Session, account_id: int) -> Draft:
    return Draft(account_id=account_id, text="kept", expires_at=func.now() + timedelta(minutes=30))


def _delivery(session: Session, message_id: int, address_id: int) -> Delivery:
    later = func.now() + timedelta(hours=1)
    return Delivery(message_id=message_id, address_id=address_id, channel="sms", priority=5, give_up_at=later)
