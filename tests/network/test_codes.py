"""Codes that tie phones and mailboxes to people (R38): guessed, replayed, used by others, and never kept."""

import re
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import func, update

from gateway.errors import Refused
from gateway.ledger.inbox.inbox import Incoming
from gateway.network.people import accounts, addresses
from gateway.network.verification import codes, lockouts
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Address, Code, Inbound
from tests.support.office import Office, point_command_line

NEW = "+14155550177"


@pytest.fixture
def signer(settings: Settings) -> Signer:
    return Signer(settings.secret_keys)


def person(office: Office, handle: str) -> int:
    with transaction(office.engine) as session:
        account = accounts.by_handle(session, handle)
        assert account
        return account.id


def shown(office: Office, signer: Signer, handle: str = "kim") -> str:
    kim = person(office, handle)
    with transaction(office.engine) as session:
        return codes.link(session, signer, kim)


def texts(office: Office, phone: str, words: str) -> tuple[str | None, str | None]:
    row = office.accept_text(phone, words)
    office.work()
    return office.sql("SELECT intent, reason FROM inbound WHERE id = :id", id=row)[0]


def owner(office: Office, phone: str) -> str | None:
    rows = office.sql(
        "SELECT handle FROM addresses a JOIN accounts ON accounts.id = account_id WHERE address = :p", p=phone
    )
    return rows[0][0] if rows else None


def wrong_ones(code: str) -> Iterator[str]:
    return (each for number in range(1000) if (each := f"{number:06}") != code)


def test_a_code_ties_a_new_phone_once(office: Office, signer: Signer) -> None:
    code = shown(office, signer)
    assert texts(office, NEW, f"link {code}")[0] == "link"
    assert owner(office, NEW) == "kim"
    assert texts(office, "+14155550178", f"Link {code}.")[1] == codes.WRONG
    assert owner(office, "+14155550178") is None
    kept = office.sql(
        "SELECT (SELECT count(*) FROM inbound WHERE text LIKE :c), (SELECT count(*) FROM consent"
        " WHERE wording LIKE :c), (SELECT count(*) FROM audit WHERE detail::text LIKE :c)",
        c=f"%{code}%",
    )
    assert kept == [(0, 0, 0)]
    assert office.sql("SELECT count(*) FROM messages WHERE text LIKE 'A phone was added%'") == [(1,)]


def test_an_old_code_is_none(office: Office, signer: Signer) -> None:
    code = shown(office, signer)
    with transaction(office.engine) as session:
        session.execute(update(Code).values(expires_at=func.now()))
    assert texts(office, NEW, f"link {code}")[1] == codes.WRONG


def test_a_newer_code_ends_the_older(office: Office, signer: Signer) -> None:
    old, new = shown(office, signer), shown(office, signer)
    assert old == new or texts(office, NEW, f"link {old}")[1] == codes.WRONG
    texts(office, NEW, f"link {new}")
    assert owner(office, NEW) == "kim"


def test_a_stranger_has_five_tries_an_hour_and_hears_nothing(office: Office, signer: Signer) -> None:
    code = shown(office, signer)
    guesses = wrong_ones(code)
    for _ in range(5):
        assert texts(office, NEW, f"link {next(guesses)}")[1] == codes.WRONG
    assert texts(office, NEW, f"link {code}")[0] == "link"
    assert owner(office, NEW) is None
    assert office.sql("SELECT count(*) FROM messages") == [(0,)]
    texts(office, "+14155550178", f"link {code}")
    assert owner(office, "+14155550178") == "kim"


def test_strangers_who_guess_keep_nobody_else_from_linking(office: Office, signer: Signer) -> None:
    """By the dozen they make new codes longer, and the audit says so once. A code that was shown before counts."""
    code = shown(office, signer)
    guesses = wrong_ones(code)
    for number in range(30):
        texts(office, f"+1415555{3000 + number}", f"link {next(guesses)}")
    longer = shown(office, signer, "sam")
    assert len(longer) == 8
    texts(office, NEW, f"link {code}")
    assert owner(office, NEW) == "kim"
    texts(office, "+14155550178", f"link {longer}")
    assert owner(office, "+14155550178") == "sam"
    assert office.sql("SELECT count(*) FROM audit WHERE action = 'link.flood'") == [(1,)]
    with transaction(office.engine) as session:  # ten minutes later
        wrong = update(Inbound).where(Inbound.reason == codes.WRONG)
        session.execute(wrong.values(id=Inbound.id - (601_000 << 16)))
    assert len(shown(office, signer, "sam")) == 6


def test_the_fifth_wrong_code_of_a_stranger_is_in_the_audit_once(office: Office, signer: Signer) -> None:
    guesses = wrong_ones(shown(office, signer))
    for _ in range(8):
        texts(office, NEW, f"link {next(guesses)}")
    assert office.sql("SELECT count(*) FROM audit WHERE action = 'link.locked'") == [(1,)]
    assert office.sql("SELECT count(*) FROM inbound WHERE reason = :wrong", wrong=codes.WRONG) == [(5,)]


def mails(office: Office, mailbox: str, words: str) -> None:
    raw = f"From: {mailbox}\r\nTo: post@mail.example\r\n\r\n{words}\r\n".encode()
    key = uuid.uuid4().bytes
    office.accept(Incoming("email", key, mailbox, ("post@mail.example",), raw, True, f"<{key.hex()}@there.example>"))
    office.read()


def test_a_domain_full_of_mailboxes_has_twenty_tries(office: Office, signer: Signer) -> None:
    """One where our own people have mailboxes is never closed, whoever else guesses there."""
    code = shown(office, signer)
    guesses = wrong_ones(code)
    for domain in ("guessers.example", "demo.example"):
        for number in range(22):
            mails(office, f"m{number}@{domain}", f"link {next(guesses)}")
    assert office.sql(
        "SELECT count(*) FROM inbound WHERE sender LIKE '%@guessers.example' AND reason = :wrong", wrong=codes.WRONG
    ) == [(20,)]
    mails(office, "late@guessers.example", f"link {code}")
    assert owner(office, "late@guessers.example") is None
    mails(office, "new@demo.example", f"link {code}")
    assert owner(office, "new@demo.example") == "kim"


def test_somebody_elses_phone_is_never_moved(office: Office, signer: Signer) -> None:
    sams = "+14155550102"
    code = shown(office, signer)
    texts(office, sams, f"link {code}")
    assert owner(office, sams) == "sam"
    with transaction(office.engine) as session:
        session.execute(update(Address).where(Address.address == sams).values(state="suspended"))
    texts(office, sams, f"link {code}")
    assert owner(office, sams) == "sam"
    assert office.sql("SELECT count(*) FROM messages WHERE text LIKE '%somebody else''s. An operator%'") == [(1,)]


def test_an_opt_out_stays_when_a_phone_is_tied(office: Office, signer: Signer) -> None:
    texts(office, NEW, "STOP")
    texts(office, NEW, f"link {shown(office, signer)}")
    assert office.sql("SELECT state FROM addresses WHERE address = :p", p=NEW) == [("stopped",)]
    assert owner(office, NEW) == "kim"


def sent_code(office: Office, signer: Signer, handle: str = "kim") -> str:
    kim = person(office, handle)
    with transaction(office.engine) as session:
        return codes.prove(session, signer, addresses.ensure(session, "sms", NEW), kim)


def test_a_sent_code_is_bound_to_its_person_and_ends_after_five_tries(office: Office, signer: Signer) -> None:
    code = sent_code(office, signer)
    kim, sam = person(office, "kim"), person(office, "sam")
    with transaction(office.engine) as session:
        assert codes.is_proved(session, signer, sam, code) is None
        guesses = wrong_ones(code)
        assert all(codes.is_proved(session, signer, kim, next(guesses)) is None for _ in range(5))
        assert codes.is_proved(session, signer, kim, code) is None
    code = sent_code(office, signer)
    with transaction(office.engine) as session:
        assert codes.is_proved(session, signer, kim, code) is None, "a new code gives no new tries"
        assert lockouts.unlock(session, kim)
    with transaction(office.engine) as session:
        found = codes.is_proved(session, signer, kim, code)
        assert found
        assert found.address == NEW
        assert codes.is_proved(session, signer, kim, code) is None


def test_three_codes_an_hour_go_to_one_phone(office: Office, signer: Signer) -> None:
    for handle in ("kim", "sam", "kim"):
        sent_code(office, signer, handle)
    with pytest.raises(Refused, match="an hour"):
        sent_code(office, signer, "bob")


def test_a_person_has_ten_codes_a_day(office: Office, signer: Signer) -> None:
    kim = person(office, "kim")
    with transaction(office.engine) as session:
        for number in range(10):
            codes.prove(session, signer, addresses.ensure(session, "sms", f"+1415555{3000 + number}"), kim)
        with pytest.raises(Refused, match="a day"):
            codes.prove(session, signer, addresses.ensure(session, "sms", NEW), kim)


def test_the_command_line_sends_a_code_and_takes_it(
    office: Office, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_command_line(monkeypatch, settings)
    assert "on its way" in office.critter("people", "link", "kim", NEW).output
    text = str(office.sql("SELECT text FROM messages WHERE kind = 'code' AND must_arrive AND priority = 0")[0][0])
    code = re.findall(r"\b\d{6}\b", text)[0]
    assert (
        "is @kim's now"
        in office.critter("people", "link", "kim", "--code", "--stdin", given=f"{code}\n".encode()).output
    )
    assert owner(office, NEW) == "kim"
    assert "@sam's" in office.critter("people", "link", "kim", "+14155550102").output
    assert "link " in office.critter("people", "link", "kim").output


def test_a_code_reaches_a_phone_whose_owner_has_left(
    office: Office, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its new owner proves it; one that opted out gets nothing."""
    with transaction(office.engine) as session:
        accounts.deactivate(session, person(office, "sam"))
    point_command_line(monkeypatch, settings)
    assert "on its way" in office.critter("people", "link", "kim", "+14155550102").output
    office.work()
    assert office.sql("SELECT d.state FROM deliveries d JOIN messages m ON m.id = message_id WHERE kind = 'code'") == [
        ("sent",)
    ]
    text = str(office.sql("SELECT text FROM messages WHERE kind = 'code'")[0][0])
    code = re.findall(r"\b\d{6}\b", text)[0]
    office.critter("people", "link", "kim", "--code", "--stdin", given=f"{code}\n".encode())
    assert owner(office, "+14155550102") == "kim"
    assert office.sql("SELECT state FROM addresses WHERE address = '+14155550102'") == [("verified",)]


def test_a_forged_number_uses_up_the_logins_of_that_phone_alone(office: Office) -> None:
    for _ in range(codes.DAILY + 2):
        office.says("kim", "login")
        office.read()
    assert office.sql("SELECT count(*) FROM codes WHERE purpose = 'login'") == [(codes.DAILY,)]
    mails(office, "kim@demo.example", "login")
    assert office.sql("SELECT count(*) FROM codes WHERE purpose = 'login'") == [(codes.DAILY + 1,)]
