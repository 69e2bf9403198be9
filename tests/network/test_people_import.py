"""The roster file: every way it is written, every way it is wrong, and what it changes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.network.follows import follows
from gateway.network.people import accounts, addresses
from gateway.network.people.imports import apply, csv_file, plan
from gateway.network.people.imports.apply import Imported
from gateway.network.people.imports.csv_file import PhoneCountries, Roster
from gateway.store.database import transaction
from gateway.store.tables import Account, Address, Consent, Follow

HERE = PhoneCountries("US", ("US",))
HEADER = "handle,name,phone,email,groups,follows,language,timezone,consent\n"
COMPANY = HEADER + (
    "kim,Kim Lee,+1 415 555 0101,kim@demo.example,sales ACME,,en,America/New_York,I agree to texts\n"
    "sam,Sam Ortiz,(415) 555-0102 +14155550103,sam@demo.example,sales,kim,,,\n"
)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


def read(text: str | bytes) -> Roster:
    return csv_file.read(text if isinstance(text, bytes) else text.encode(), HERE, reserved={"follow"})


def reasons(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.reason) for problem in read(text).problems]


def run(session: Session, text: str) -> Imported:
    session.expire_all()
    planned = plan.plan(session, read(text))
    assert planned.problems == []
    return apply.carry_out(session, planned)


def plan_reasons(session: Session, text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.reason) for problem in plan.plan(session, read(text)).problems]


def phone(session: Session, number: str) -> Address:
    return addresses.ensure(session, "sms", number)


def heard(session: Session, follower: str, handle: str) -> Follow:
    ids = [session.scalars(select(Account.id).where(Account.handle == one)).one() for one in (follower, handle)]
    return session.get_one(Follow, tuple(ids), populate_existing=True)


@pytest.mark.parametrize(
    "content",
    [
        "handle,name\nzoe,Zoë Brandt\n".encode(),
        "\ufeffHandle , NAME\r\nZOE,  Zoë   Brandt\r\n\r\n".encode(),
        "handle;name;\r\nzoe;Zoë Brandt;\r\n".encode("utf-8-sig"),
        'sep=;\r\nhandle;name\r\n@zoe;"Zoë Brandt"'.encode(),
        "name\thandle\nZoë Brandt\tzoe\n".encode("utf-16"),
        "handle,name\nzoe,Zoë Brandt".encode("latin-1"),
    ],
)
def test_files_as_programs_write_them(content: bytes) -> None:
    found = read(content)
    assert found.problems == []
    assert [(row.handle, row.name) for row in found.rows] == [("zoe", "Zoë Brandt")]
    assert found.note is None or "not UTF-8" in found.note


def test_latin_1_is_said() -> None:
    assert read("handle,name\nzoe,Zoë Brandt".encode("latin-1")).note == csv_file.NOT_UTF8
    assert read("handle,name\nzoe,Zoë Brandt").note is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("handle,name,salary\nkim,Kim,1\n", "Unknown column “salary”"),
        ("handle,phone\nkim,1\n", "no column “name”"),
        ("handle,name,name\nkim,Kim,Kim\n", "column “name” is there twice"),
        ("", "no column"),
        ("handle,name\n", "no people"),
        ("handle,name\n,\n", "no people"),
        ("PK\x03\x04\x00\x00", "no CSV"),
    ],
)
def test_files_of_no_use(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        read(text)


def test_each_bad_row_is_named_with_its_line() -> None:
    rows = (
        "k!m,Kim\n"
        "stop,Stop It\n"
        "follow,Follow Me\n"
        ",Nobody\n"
        "al,\n"
        "bo,Bo,12345\n"
        "cy,Cy,,cy at demo\n"
        "di,Di,,,,,Klingon\n"
        "ed,Ed,,,,,,Mars/Base\n"
        "fi,Fi,,,,,,,I agree\n"
        "gi,Gi,,,stop\n"
        "ha,Ha,,,,,,,,,x\n"
    )
    found = reasons(HEADER + rows)
    assert [line for line, _ in found] == list(range(2, 14))
    words = ["handle", "itself", "itself", "No handle", "name", "phone", "mail", "language", "time zone", "consent"]
    assert all(word in reason for word, (_, reason) in zip([*words, "group", "cells"], found, strict=True))


def test_what_the_file_says_twice() -> None:
    rows = (
        'kim,Kim,+14155550101,kim@demo.example\nKIM,Kim B\n"ann","Ann\nBell",415-555-0101\nbob,Bob,,KIM@demo.example\n'
    )
    assert reasons(HEADER + rows) == [
        (3, "The handle @kim is in line 2 too, of @kim."),
        (4, "The phone is in line 2 too, of @kim."),
        (6, "The mailbox kim@demo.example is in line 2 too, of @kim."),
    ]


def test_broken_quotes() -> None:
    assert "Not CSV" in reasons('handle,name\nkim,"Kim" Lee\nsam,Sam\n')[0][1]


def test_several_in_one_cell() -> None:
    (row,) = read(
        HEADER + "kim,Kim,415-555-0101 415-555-0102,a@demo.example; b@demo.example,#sales acme,@sam bob sam\n"
    ).rows
    assert row.phones == ("+14155550101", "+14155550102")
    assert row.mailboxes == ("a@demo.example", "b@demo.example")
    assert (row.groups, row.follows) == (("sales", "acme"), ("sam", "bob"))


def test_an_import_and_the_same_again(session: Session) -> None:
    assert run(session, COMPANY) == Imported(
        people=2, added=2, changed=0, groups=2, phones_and_mailboxes=5, consents=1, follows=4
    )
    kim = accounts.by_handle(session, "kim")
    assert kim is not None
    assert (kim.name, kim.language, kim.timezone) == ("Kim Lee", "en", "America/New_York")
    acme = accounts.by_handle(session, "acme")
    assert acme is not None
    assert (acme.name, acme.access, follows.role_in(session, kim.id, acme.id)) == ("ACME", "open", "member")
    assert run(session, COMPANY) == Imported(2, 0, 0, 0, 0, 0, 0)


def test_consent_covers_texts_and_without_it_a_phone_is_only_invited(session: Session) -> None:
    run(session, COMPANY)
    assert phone(session, "+14155550101").state == "verified"
    assert heard(session, "kim", "sales").by_text
    kept = session.scalars(select(Consent)).one()
    assert (kept.kind, kept.source, kept.wording) == ("opt_in", "import", "I agree to texts")
    first, second = phone(session, "+14155550102"), phone(session, "+14155550103")
    assert (first.state, first.is_primary, second.state, second.is_primary) == ("invited", True, "invited", False)
    assert addresses.ensure(session, "email", "sam@demo.example").state == "verified"
    assert not heard(session, "sam", "kim").by_text


def test_consent_that_comes_later_turns_to_texts(session: Session) -> None:
    run(session, COMPANY)
    assert run(session, COMPANY.replace(",kim,,,\n", ",kim,,,yes by form 7\n")).consents == 2
    assert phone(session, "+14155550102").state == "verified"
    assert heard(session, "sam", "kim").by_text


def test_an_opt_out_outlives_an_import(session: Session) -> None:
    run(session, COMPANY)
    for number in ("+14155550101", "+14155550102"):
        addresses.stop(session, phone(session, number), "STOP")
    changed = run(session, COMPANY.replace(",kim,,,\n", ",kim,,,I agree to texts\n"))
    assert changed.consents == 1  # the other phone of sam
    assert phone(session, "+14155550101").state == phone(session, "+14155550102").state == "stopped"
    assert not heard(session, "sam", "kim").by_text


def test_what_people_chose_themselves_stays(session: Session) -> None:
    run(session, COMPANY)
    sam, kim = heard(session, "sam", "kim").follower_id, heard(session, "sam", "kim").account_id
    follows.follow(session, sam, kim, by_text=True)
    follows.set_off(session, sam, kim, True)
    follows.follow(session, kim, sam, by_text=True)
    assert run(session, COMPANY).follows == 0
    row = heard(session, "sam", "kim")
    assert (row.by_text, row.off) == (True, True)
    assert heard(session, "kim", "sam").by_text


def test_changes_are_made(session: Session) -> None:
    run(session, COMPANY)
    file = COMPANY.replace("Kim Lee", "Kim Lee-Park").replace("(415) 555-0102 +14155550103", "+14155550103")
    assert run(session, file) == Imported(2, 0, 1, 0, 0, 0, 0, primaries=1)
    assert accounts.by_handle(session, "kim").name == "Kim Lee-Park"  # type: ignore[union-attr]
    assert phone(session, "+14155550103").is_primary
    assert not phone(session, "+14155550102").is_primary


def test_rows_that_the_database_contradicts(session: Session) -> None:
    bob = accounts.create_person(session, "bob", "Bob Reyes")
    addresses.add(session, bob.id, "sms", "+14155550109")
    accounts.create_group(session, "lounge", "Lounge", "open")
    accounts.deactivate(session, accounts.create_group(session, "gone", "Gone", "open").id)
    rows = (
        "lounge,Larry\n"
        "kim,Kim,+14155550109\n"
        "sam,Sam,,,bob\n"
        "pat,Pat,,,gone\n"
        "ann,Ann,,,,nobody\n"
        "eve,Eve,,,,eve\n"
        "joe,Joe,,,kim\n"
        "una,Una,,,,joe bob lounge\n"
    )
    assert plan_reasons(session, HEADER + rows) == [
        (2, "@lounge is a group."),
        (3, "The phone belongs to @bob: deactivate them first, or take it from one of the two."),
        (4, "@bob is a person, not a group."),
        (5, "The group @gone is deactivated."),
        (6, "Follows “nobody”, whom nobody knows: neither in this file nor in Critter."),
        (7, "Nobody follows themselves."),
        (8, "@kim is a person, not a group."),
    ]


def test_a_group_made_by_one_row_is_followed_by_another(session: Session) -> None:
    run(session, HEADER + "kim,Kim,,,sales\nsam,Sam,,,,sales kim\n")
    assert heard(session, "sam", "sales").role == "member"
    assert heard(session, "sam", "kim").role == "follower"


def test_members_and_followers_of_a_broadcast_group(session: Session) -> None:
    accounts.create_group(session, "dispatch", "Dispatch", "broadcast")
    accounts.create_group(session, "board", "Board", "closed")
    run(session, HEADER + "bob,Bob,,,,dispatch\nann,Ann,,,board dispatch,dispatch\n")
    assert heard(session, "bob", "dispatch").role == "follower"
    assert heard(session, "ann", "dispatch").role == "member"
    assert (heard(session, "ann", "board").role, heard(session, "ann", "board").state) == ("member", "active")


def test_a_complete_file_shows_who_is_missing(session: Session) -> None:
    run(session, COMPANY)
    without = HEADER + COMPANY.splitlines(keepends=True)[1]
    gone = plan.missing(session, read(without))
    assert [one.handle for one in gone] == ["sam"]
    accounts.deactivate_all(session, [one.id for one in gone])
    session.expire_all()
    assert phone(session, "+14155550102").state == "suspended"
    assert plan.missing(session, read(without)) == []


def test_who_comes_back_is_invited_anew(session: Session) -> None:
    run(session, COMPANY)
    addresses.seen(session, phone(session, "+14155550102").id)
    accounts.deactivate(session, heard(session, "sam", "kim").follower_id)
    assert run(session, COMPANY).changed == 1
    session.expire_all()
    assert accounts.by_handle(session, "sam") is not None
    assert phone(session, "+14155550102").state == "invited"
    assert addresses.ensure(session, "email", "sam@demo.example").state == "verified"
    assert heard(session, "sam", "kim")


def test_a_number_passes_from_the_gone_to_the_new(session: Session) -> None:
    run(session, COMPANY)
    accounts.deactivate(session, heard(session, "sam", "kim").follower_id)
    run(session, HEADER + "eve,Eve,+14155550102\n")
    found = addresses.identify(session, "sms", "+14155550102")
    assert found is not None
    assert (found[1].handle, found[0].state, found[0].is_primary) == ("eve", "invited", True)


def test_a_plan_with_problems_is_not_carried_out(session: Session) -> None:
    with pytest.raises(ValueError, match="problems"):
        apply.carry_out(session, plan.plan(session, read(HEADER + "kim,Kim,,,,nobody\n")))


def test_many_rows(session: Session) -> None:
    rows = "".join(f"p{i},Person {i},+1415{5550000 + i},p{i}@demo.example,all_hands,p{i + 1}\n" for i in range(6000))
    done: list[int] = []
    planned = plan.plan(session, read(HEADER + rows + "p6000,Last One\n"))
    assert apply.carry_out(session, planned, done.append).follows == 12_000
    assert sum(done) == 6001
    assert session.scalar(select(func.count()).select_from(Address).where(Address.is_primary)) == 12_000
    figures = "SELECT reltuples FROM pg_class WHERE relname = 'follows'"
    assert session.scalar(sql(figures)) > 1000, "the role of the processes may not ANALYZE by itself"


@pytest.mark.parametrize(
    ("phone", "why"),
    [
        ("+44 7400 123456", "is in GB, and texts go to US alone: CRITTER_SMS_COUNTRIES"),
        ("+1 900 555 0100", "is a service number"),
        ("+1 876 555 0100", "is in JM"),
    ],
)
def test_a_phone_that_no_text_may_go_to_is_refused_with_its_line(phone: str, why: str) -> None:
    [(line, reason)] = reasons(HEADER + f"kim,Kim Lee,{phone},,,,,,\n")
    assert line == 2
    assert why in reason
