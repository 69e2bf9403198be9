"""Numbers that carriers give to somebody else (R40): silent ones are asked, then suspended until they are proved."""

import pytest
from sqlalchemy import Engine

from gateway.carriers.webhook import codes
from gateway.errors import Refused
from gateway.network.people import accounts, addresses
from gateway.network.verification import number_lifecycle
from gateway.store.database import transaction
from gateway.store.tables import Address
from tests.support import personas
from tests.support.office import Office
from workers.effects import address_effects

QUESTION = "We have not heard from this phone for long. Are you still {}? Reply YES."
DAYS = 90


def silent(office: Office, handle: str, days: int = 91) -> None:
    """Nothing was heard from this phone, and nothing asked, for so long."""
    office.sql(
        "UPDATE addresses SET created_at = now() - make_interval(days => :days), seen_at = CASE"
        " WHEN seen_at IS NOT NULL THEN now() - make_interval(days => :days) END WHERE channel = 'sms'"
        " AND account_id = (SELECT id FROM accounts WHERE handle = :handle)",
        days=days, handle=handle,
    )  # fmt: skip


def asked_long_ago(office: Office) -> None:
    """The question was put at its time: nobody can change the audit, so it is put as if it were then."""
    office.sql(
        "INSERT INTO audit (actor, action, subject_id, created_at) SELECT 'critter', 'address.ask', id,"
        " now() - interval '15 days' FROM addresses WHERE channel = 'sms' AND coalesce(seen_at, created_at) <"
        " now() - interval '100 days'"
    )


def look(office: Office) -> None:
    with transaction(office.engine) as session:
        number_lifecycle.end(session, DAYS)
        number_lifecycle.ask(session, DAYS)
    office.work()


def state(office: Office, handle: str) -> object:
    return office.sql(
        "SELECT a.state FROM addresses a JOIN accounts p ON p.id = a.account_id WHERE handle = :handle"
        " AND channel = 'sms'", handle=handle,
    )[0][0]  # fmt: skip


def heard(office: Office, handle: str, channel: str = "sms") -> list[str]:
    """What was sent to somebody, the last first."""
    rows = office.sql(
        "SELECT m.text FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN addresses a ON a.id = d.address_id"
        " JOIN accounts p ON p.id = a.account_id WHERE p.handle = :handle AND a.channel = :channel"
        " AND d.state = 'sent' ORDER BY m.id DESC", handle=handle, channel=channel,
    )  # fmt: skip
    return [str(row[0]) for row in rows]


def said(office: Office, handle: str, words: str) -> str:
    before = len(heard(office, handle))
    office.says(handle, words)
    office.work()
    now = heard(office, handle)
    return now[0] if len(now) > before else ""


def test_a_silent_phone_is_asked_once_and_goes_on_with_a_yes(office: Office) -> None:
    silent(office, "sam")
    look(office)
    look(office)
    assert [words for words in heard(office, "sam") if words.startswith(QUESTION.format("Sam"))] == heard(office, "sam")
    assert len(heard(office, "sam")) == 1
    assert heard(office, "kim") == []
    assert said(office, "sam", "Yes!") == "Thank you, Sam. Everything is as it was. For help: ?"
    assert said(office, "sam", "whois kim").startswith("Kim Lee (@kim)")
    look(office)
    assert state(office, "sam") == "verified"


def test_a_reader_who_never_writes_keeps_hearing_through_the_grace_and_by_mail_after_it(office: Office) -> None:
    silent(office, "pat", 105)
    look(office)
    office.says("kim", "#sales lunch?")
    office.work()
    assert heard(office, "pat")[0] == "Kim Lee #sales: lunch?"
    asked_long_ago(office)
    look(office)
    assert state(office, "pat") == "suspended"
    told = heard(office, "pat", "email")[0]
    assert told.startswith("We no longer text your phone ending in 06: ")
    assert "+1415" not in told
    assert office.sql("SELECT 1 FROM audit WHERE action = 'address.suspend'")


def test_who_has_no_mailbox_is_not_cut_off_without_a_word(office: Office) -> None:
    office.sql("UPDATE accounts SET role = 'operator' WHERE handle = 'kim'")
    silent(office, "sam", 105)
    asked_long_ago(office)
    look(office)
    assert state(office, "sam") == "suspended"
    assert heard(office, "kim")[0].startswith("We no longer text the phone of @sam, who has no mailbox.")


def test_who_wrote_meanwhile_is_neither_asked_nor_suspended(office: Office) -> None:
    silent(office, "sam", 105)
    asked_long_ago(office)
    said(office, "sam", "yes")
    look(office)
    assert state(office, "sam") == "verified"


@pytest.mark.parametrize("asked", [False, True], ids=["before it was asked", "after it was asked"])
def test_the_new_owner_of_a_number_has_nothing_of_the_old_ones(office: Office, asked: bool) -> None:
    """Bob had the phone; whoever has it now reads nothing of his and does nothing in his name."""
    office.says("kim", "d bob kumquat, to you alone")
    office.work()
    silent(office, "bob", 105)
    if asked:
        look(office)
    counts = "SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM follows), (SELECT count(*) FROM reactions)"
    before = office.sql(counts)
    for words in ("hello who is this", "get kim", "d kim hi", "follow kim", "leave dispatch", "like", "why", "more",
                  "followers", "name Eve Evans", "login", "link 123456", "undo", "HELP", "OK", "1"):  # fmt: skip
        answer = said(office, "bob", words)
        assert "kumquat" not in answer
        assert not answer or QUESTION.format("Bob") in answer, words
    assert office.sql(counts) == before
    said(office, "bob", "STOP")
    assert state(office, "bob") == "stopped"
    assert said(office, "bob", "get kim") == ""


def test_after_the_grace_the_new_owner_is_a_stranger(office: Office) -> None:
    silent(office, "bob", 105)
    asked_long_ago(office)
    look(office)
    office.says("kim", "d bob kumquat, to you alone")
    office.work()
    number = len(heard(office, "bob"))
    for words in ("yes", "START", "get kim", "hello"):
        said(office, "bob", words)
    assert len(heard(office, "bob")) == number
    assert state(office, "bob") == "suspended"


def test_a_number_is_one_persons_and_moves_only_from_who_is_gone(office: Office) -> None:
    """Never by a code alone, while its owner is here, suspended or silent."""
    with transaction(office.engine) as session:
        kim, bob = (accounts.by_handle(session, name) for name in ("kim", "bob"))
        assert kim
        assert bob
        phone = addresses.primary(session, bob.id, "sms")
        assert phone
        number = phone.address
        phone.state = "suspended"
        with pytest.raises(Refused, match="belongs to somebody else"):
            addresses.tie(session, kim.id, "sms", number, "a code")
        accounts.deactivate(session, bob.id)
        row = addresses.tie(session, kim.id, "sms", number, "a code")
        assert (row.account_id, row.id != phone.id) == (kim.id, True)


def test_a_phone_that_is_proved_again_is_as_good_as_heard(office: Office) -> None:
    silent(office, "sam", 105)
    asked_long_ago(office)
    look(office)
    with transaction(office.engine) as session:
        sam = accounts.by_handle(session, "sam")
        assert sam
        addresses.tie(session, sam.id, "sms", "+14155550102", "a code")
    look(office)
    assert state(office, "sam") == "verified"
    assert said(office, "sam", "whois kim").startswith("Kim Lee (@kim)")


def test_zero_days_never_asks(office: Office) -> None:
    silent(office, "sam", 4000)
    with transaction(office.engine) as session:
        assert not number_lifecycle.ask(session, 0)
        assert not number_lifecycle.end(session, 0)


def test_a_carrier_that_says_it_is_somebody_elses_ends_it_at_once(office: Office, engine: Engine) -> None:
    told = codes.read_report("failed", codes.code_of("reassigned"))
    assert told
    with transaction(engine) as session:
        pat = accounts.by_handle(session, "pat")
        assert pat
        phone = addresses.primary(session, pat.id, "sms")
        assert phone
        address_effects.apply(session, phone.id, told.action, told.reason)
        assert session.get_one(Address, phone.id).state == "suspended"
    office.work()
    assert heard(office, "pat", "email")[0].startswith("We no longer text your phone ending in 06: ")


def test_an_operator_takes_a_phone_from_its_owner(office: Office) -> None:
    """The old owner keeps what they were sent and is told by mail; the new one gets neither."""
    office.says("sam", "d kim only for you")
    office.says("sam", "d kim and not sent yet")
    office.read()
    kims = next(person.phone for person in personas.PEOPLE if person.handle == "kim")
    assert kims
    assert office.critter("people", "link", "bob", kims).output.startswith("That is @kim's")
    assert office.critter("people", "unlink", "+14155550133").exit_code == 2
    said = office.critter("people", "unlink", kims, "--yes")
    assert (said.exit_code, "@kim was told" in said.output) == (0, True)
    assert office.sql("SELECT count(*) FROM audit WHERE action = 'address.unlink'") == [(1,)]
    assert office.sql("SELECT account_id FROM addresses WHERE address = :phone", phone=kims) == [(None,)]
    office.accept_text(kims, "get sam")
    office.work()
    sent = "SELECT count(*) FROM deliveries d JOIN addresses a ON a.id = d.address_id WHERE a.address = :phone"
    assert office.sql(sent, phone=kims) == [(0,)]
    mails = "SELECT m.text FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE d.channel = 'email'"
    assert any("took a phone or mailbox off your account" in str(row[0]) for row in office.sql(mails))
    assert office.critter("people", "link", "bob", kims).exit_code == 0
