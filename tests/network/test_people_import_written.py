"""The roster file as phones, spreadsheets and people write it: encodings, what cannot be seen, and what is told."""

import codecs
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.network.people import accounts, addresses
from gateway.network.people.imports import apply, csv_file, plan
from gateway.network.people.imports.csv_file import PhoneCountries, Roster
from gateway.store.database import transaction
from gateway.store.tables import Consent

HEADER = "handle,name,phone,email,groups,follows,language,timezone,consent,aliases,employee_id\n"
PLAIN = HEADER + "zoe,Zoë Brandt,+14155550141,zoe@straße.example,sales,,en,Europe/Berlin,I agree,zo,77\n"
EXCEL = PLAIN.replace("\n", "\r\n").replace(",", ";")


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


def read(content: bytes | str) -> Roster:
    given = content if isinstance(content, bytes) else content.encode()
    return csv_file.read(given, PhoneCountries("US", ("US",)), reserved={"follow"})


def told(content: bytes | str) -> list[str]:
    return [f"{problem.place}: {problem.reason}" for problem in read(content).problems]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        codecs.BOM_UTF8 + EXCEL.encode(),
        codecs.BOM_UTF8 * 2 + EXCEL.encode(),
        codecs.BOM_UTF8 * 3 + b"sep=;\r\n" + EXCEL.encode(),
        "ï»¿".encode() + PLAIN.encode(),  # its mark was once read as Windows-1252
        EXCEL.encode("cp1252"),
        codecs.BOM_UTF8 + EXCEL.encode("cp1252"),
        PLAIN.replace(",", "\t").encode("utf-16"),
        codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        codecs.BOM_UTF16_LE + ("\ufeff" + EXCEL).encode("utf-16-le"),
        EXCEL.encode("utf-16-le"),
        EXCEL.encode("utf-16-be"),
        PLAIN.replace("\n", "\r").encode(),
        ("\ufeff\r\n\u00a0\u200b,,\r\n" + PLAIN).encode(),
        (PLAIN + "\u00a0,\u200b,\ufeff\n\ufeff").encode(),
    ],
)
def test_every_encoding_and_separator(content: bytes) -> None:
    found = read(content)
    assert found.problems == []
    (row,) = found.rows
    assert (row.handle, row.name, row.phones) == ("zoe", "Zoë Brandt", ("+14155550141",))
    assert (row.mailboxes, row.timezone) == (("zoe@xn--strae-oqa.example",), "Europe/Berlin")
    assert (row.consent, row.called) == ("I agree", {"zo": "alias", "77": "employee_id"})


@pytest.mark.parametrize(
    "one", ["\u200b", "\u200e", "\u202a", "\u2066", "\ufeff", "\u00ad", "\ufe0f", "\u200d", "\ufffc"]
)
def test_what_cannot_be_seen_counts_in_no_cell(one: str) -> None:
    """Around each cell, before each quotation mark, and inside of the words."""
    header, line = PLAIN.splitlines()
    cells = [f"{one}{cell[0]}{one}{cell[1:]}{one}" if cell else one for cell in line.split(",")]
    columns = [f"{one}{column[0]}{one}{column[1:]}" for column in header.split(",")]
    strewn = ",".join(columns) + "\n" + ",".join(cells) + "\n"
    quoted = ",".join(columns) + "\n" + ",".join(f'{one}"{cell}"{one}' for cell in cells) + "\n"
    assert read(strewn).rows == read(PLAIN).rows
    assert read(quoted).rows == read(PLAIN).rows


def test_cases_that_were_refused() -> None:
    """A number as a phone's contacts give it, a sharp s, a mark before a handle."""
    header = "handle,name,phone,email,groups,follows,consent\r\n"
    (row,) = read(header + "ivy,Ivy Moss,\u202a+14155550141\u202c,ivy@demo.example,,,\r\n\n").rows
    assert row.phones == ("+14155550141",)
    (row,) = read("handle,name,email\r\nivy,Ivy Moss,ivy@straße.example\r\n\n").rows
    assert row.mailboxes == ("ivy@xn--strae-oqa.example",)
    (row,) = read(header + "\u200eivy,Ivy Moss,,ivy@demo.example,,,\r\n\n").rows
    assert row.handle == "ivy"


def test_consent_keeps_its_visible_words(session: Session) -> None:
    words = "\u200fبله، می‌خواهم\u200f — “Sí,\u00a0quiero”\u200b"
    found = read(HEADER + f'ivy,Ivy,+14155550141,,,,,,"{words}",,\n')
    apply.carry_out(session, plan.plan(session, found))
    assert session.scalars(select(Consent.wording)).all() == ["بله، می\u200cخواهم — “Sí, quiero”"]


def test_what_differs_only_invisibly_is_the_same() -> None:
    rows = "ivy,Ivy,+14155550141,ivy@straße.example\ni\u200bvy,Iv,\u202a415-555-0141\u202c,Ivy@xn--strae-oqa.example\n"
    assert told("handle,name,phone,email\n" + rows) == [
        "line 3, handle: The handle @ivy is in line 2 too, of @ivy.",
        "line 3, phone: The phone is in line 2 too, of @ivy.",
        "line 3, email: The mailbox ivy@xn--strae-oqa.example is in line 2 too, of @ivy.",
    ]


def test_the_same_file_with_marks_changes_nothing(session: Session) -> None:
    apply.carry_out(session, plan.plan(session, read(PLAIN)))
    marked = PLAIN.replace("zoe,", "\u200ezoe,").replace("+1415", "\u202a+1415").replace("Zoë", "Zo\u00adë")
    again = apply.carry_out(session, plan.plan(session, read(marked)))
    assert (again.added, again.changed, again.phones_and_mailboxes, again.consents) == (0, 0, 0, 0)
    assert again.follows == again.aliases == again.groups == 0


def test_everything_wrong_is_told_at_once_with_its_cell() -> None:
    rows = (
        "kіm,,12,ivy@i❤.example kim@demo,s!,+,Klingon,Mars,I agree,a b!,a b\n"
        "bo,Bo\u0007,4.15E+10 +4915112345678,,,b\u0000,,,,,\n"
        "cy,C\ufffdy,,,,,,,,,\n"
    )
    assert told(HEADER + rows.replace("\u0000", "\u0001")) == [
        "line 2, handle: “kіm” cannot be a handle. Use 2 to 20 of a-z, 0-9 and _, and none of these: "
        "“і” (U+0456 CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I).",
        "line 2, name: A name needs at least one letter.",
        "line 2, phone: That is not a phone number. Write it like +1 415 555 0123.",
        "line 2, email: “ivy@i❤.example”: That is not a mail address. Write it like kim@example.com. "
        "There is “❤” (U+2764 HEAVY BLACK HEART). "
        "“kim@demo”: That is not a mail address. Write it like kim@example.com.",
        "line 2, groups: The group: “s!” cannot be a handle. Use 2 to 20 of a-z, 0-9 and _.",
        "line 2, follows: “+” cannot be a handle. Use 2 to 20 of a-z, 0-9 and _.",
        "line 2, language: “Klingon” is no language: write it like en, fr or pt-BR.",
        "line 2, timezone: “Mars” is not a time zone. Write it like Europe/Berlin or America/New_York.",
        "line 2, aliases: “b!” cannot be an alias. Use one word of letters and digits, at most 40.",
        "line 2, employee_id: “a b” cannot be an alias. Use one word of letters and digits, at most 40.",
        "line 3, phone: That is not a phone number. Write it like +1 415 555 0123. "
        "A spreadsheet has shortened it: make the column one of text, and type it again. "
        "The phone ending in 5678 is in DE, and texts go to US alone: CRITTER_SMS_COUNTRIES says where.",
        "line 3, follows: “b<U+0001>” cannot be a handle. Use 2 to 20 of a-z, 0-9 and _, and none of these: U+0001.",
        "line 4, name: Letters are lost here (U+FFFD): save the file anew as “CSV UTF-8”.",
    ]


def test_a_number_is_never_shown() -> None:
    assert "55501" not in "".join(told("handle,name,phone\nbo,Bo,+1415x5550123\nal,Al,+1415\u04305550123\n"))
    assert "“а” (U+0430 CYRILLIC SMALL LETTER A)" in told("handle,name,phone\nal,Al,+1415\u04305550123\n")[0]


def test_nobody_is_blamed_for_another_line(session: Session) -> None:
    """@bo's line is wrong in one cell; who follows @bo, or the group of that line, is not."""
    found = read("handle,name,phone,groups,follows\nbo,Bo,12,crew,\nivy,Ivy,,,bo crew\nx!,Kim,,,\nkim,Kim Lee,,,\n")
    planned = plan.plan(session, found)
    assert [problem.place for problem in planned.problems] == ["line 2, phone", "line 4, handle"]


def test_a_wrong_handle_is_not_blamed_for_its_phone(session: Session) -> None:
    kim = accounts.create_person(session, "kim", "Kim Lee")
    addresses.add(session, kim.id, "sms", "+14155550101")
    planned = plan.plan(session, read("handle,name,phone\nk!m,Kim Lee,+14155550101\n"))
    assert [problem.column for problem in planned.problems] == ["handle"]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("handle,name,e-mail", "Unknown column “e-mail”: did you mean “email”?"),
        ("hаndle,salary", "Unknown column “hаndle”: did you mean “handle”? Unknown column “salary”."),
        ("phone,phone", "The file has no column “handle”. The file has no column “name”. The column “phone” is there"),
    ],
)
def test_everything_wrong_with_the_header_is_told_at_once(header: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        read(f"{header}\nkim,Kim,Kim\n")
    assert str(refused.value).startswith(says)
    assert "The first line names the columns: handle, name, phone" in str(refused.value)


def test_two_files_joined() -> None:
    assert told("handle,name\nkim,Kim\n\ufeffHandle,Name\nbo,Bo\n") == [
        "line 3: The names of the columns stand here again: take the line out."
    ]
