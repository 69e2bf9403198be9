"""The first text to any phone says who we are; an invited phone gets one, and nothing else before it answers."""

from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.i18n.phrases import translated
from gateway.network.people import addresses, welcomes
from gateway.sms.first_contact import introduction
from gateway.sms.fit import segments, thrifty
from gateway.store.database import transaction
from gateway.store.tables import Address
from tests.support import personas
from tests.support.office import Office, point_command_line

COMPANY = "Critter Demo Co"


def invite(office: Office, handle: str) -> str:
    phone = next(person.phone for person in personas.PEOPLE if person.handle == handle)
    with transaction(office.engine) as session:
        row = update(Address).where(Address.address == phone)
        session.execute(row.values(state="invited", introduced_at=None, seen_at=None))
    assert phone
    return phone


def sent(office: Office) -> list[str]:
    """What went to phones, by state of its delivery."""
    rows = office.sql("SELECT m.text FROM deliveries d JOIN messages m ON m.id = d.message_id"
                      " WHERE d.state = 'sent' AND d.channel = 'sms' ORDER BY m.id")  # fmt: skip
    return [str(row[0]) for row in rows]


def test_what_the_words_do_not_say_is_put_behind_them() -> None:
    assert introduction("Kim Lee: hello", COMPANY, "en") == "\nCritter Demo Co: STOP to end texts, HELP for help."
    assert introduction("Text what you do. STOP to end texts.", COMPANY, "en") == "\nCritter Demo Co"
    assert introduction(str(welcomes.welcome_words(COMPANY)), COMPANY, "es") == ""
    assert (
        introduction("Kim Lee: hola", COMPANY, "es") == "\nCritter Demo Co: STOP para no recibir SMS, HELP para ayuda."
    )


def test_the_welcome_is_one_part_in_every_language() -> None:
    for language in ("en", "es"):
        said = translated(welcomes.welcome_words(COMPANY), language)
        assert segments(thrifty(said)) == ("GSM-7", 1)
        assert "STOP" in said
        assert "HELP" in said


def test_an_invited_phone_gets_one_welcome_and_nothing_else_before_it_answers(office: Office) -> None:
    invite(office, "sam")
    with transaction(office.engine) as session:
        assert welcomes.waiting(session) == 1
        assert welcomes.send(session, COMPANY) == 1
        assert welcomes.send(session, COMPANY) == 0
    office.says("kim", "starting early")
    office.work()
    assert sent(office) == [str(welcomes.welcome_words(COMPANY))]
    with transaction(office.engine) as session:
        assert welcomes.waiting(session) == 0
    office.says("sam", "START")
    office.work()
    kept = office.sql("SELECT wording FROM consent WHERE kind = 'opt_in' ORDER BY id")
    assert kept == [("START",)]
    office.says("kim", "still here")
    office.work()
    assert sent(office)[-1] == "Kim Lee: still here"


def test_what_an_invited_phone_answered_is_kept_with_its_yes(office: Office) -> None:
    invite(office, "sam")
    with transaction(office.engine) as session:
        welcomes.send(session, COMPANY)
    office.work()
    office.says("sam", "who is this?")
    office.work()
    kept = office.sql("SELECT wording FROM consent WHERE kind = 'opt_in'")
    assert kept == [(f"{addresses.WROTE_FIRST} {welcomes.welcome_words(COMPANY)}",)]


def test_stop_ends_the_wait_for_a_welcome(office: Office) -> None:
    invite(office, "sam")
    with transaction(office.engine) as session:
        welcomes.send(session, COMPANY)
    office.says("sam", "STOP")
    office.read()
    while office.send("sms"):
        pass
    assert sent(office) == []


def test_the_first_text_is_marked_and_only_that(office: Office) -> None:
    phone = invite(office, "sam")
    office.sql("UPDATE addresses SET state = 'verified' WHERE address = :phone", phone=phone)
    for words in ("one", "two"):
        office.says("kim", words)
        office.work()
    marks = office.sql("SELECT introduces FROM deliveries d JOIN addresses a ON a.id = d.address_id"
                       " WHERE a.address = :phone ORDER BY message_id", phone=phone)  # fmt: skip
    assert marks == [(True,), (False,)]


def test_a_big_import_says_the_price_first(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "\n".join(f"n{n},New {n},+1415556{n:04}" for n in range(60))
    file = tmp_path / "people.csv"
    file.write_text(f"handle,name,phone\n{rows}\n")
    point_command_line(monkeypatch, office.settings)
    told = office.critter("people", "import", str(file)).output
    assert "60 invited phones not welcomed yet, about $0.50: critter people welcome sends it." in told
    assert office.sql("SELECT count(*) FROM deliveries") == [(0,)]
    assert "60 invited phones welcomed." in office.critter("people", "welcome", "--yes").output
    assert "Nobody waits" in office.critter("people", "welcome").output
    assert office.sql("SELECT count(*) FROM deliveries") == [(60,)]


def test_a_small_import_welcomes_at_once(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "people.csv"
    file.write_text("handle,name,phone,consent\nann,Ann,+14155560001,\nben,Ben,+14155560002,I agree to texts\n")
    point_command_line(monkeypatch, office.settings)
    assert "1 invited phone welcomed." in office.critter("people", "import", str(file)).output
    assert "welcomed" not in office.critter("people", "import", str(file)).output
    assert office.sql("SELECT count(*) FROM deliveries") == [(1,)]
