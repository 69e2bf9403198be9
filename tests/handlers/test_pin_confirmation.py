"""What a forged sender number must not do asks for proof first, and the proof counts once, for that alone."""

import re

import pytest
from sqlalchemy import Engine

from gateway.ledger.inbox.inbox import Incoming
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Account, Address, Follow
from tests.support.office import Office

MANY = 60


@pytest.fixture
def office(engine: Engine, settings: Settings) -> Office:
    """Kim is in a group of many who read by mail."""
    office = Office(engine, settings)
    office.assemble()
    with transaction(engine) as session:
        crowd = [Account(kind="person", handle=f"p{n}", name=f"Person {n}") for n in range(MANY)]
        session.add_all(crowd)
        session.flush()
        for person in crowd:
            mailbox = f"{person.handle}@demo.example"
            session.add(Address(account_id=person.id, channel="email", address=mailbox, is_primary=True))
        acme = session.query(Account).filter_by(handle="acme").one()
        session.add_all(Follow(follower_id=person.id, account_id=acme.id, role="member") for person in crowd)
    return office


def answer(office: Office) -> str:
    """The last answer to Kim's phone."""
    office.work()
    rows = office.sql("SELECT m.text FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN addresses a"
                      " ON a.id = d.address_id WHERE m.kind = 'answer' AND a.address = '+14155550101'"
                      " ORDER BY m.id DESC LIMIT 1")  # fmt: skip
    return str(rows[0][0])


def direct_posts(office: Office) -> int:
    return int(str(office.sql("SELECT count(*) FROM posts WHERE visibility = 'direct'")[0][0]))


def test_many_are_told_privately_only_after_the_code_in_the_question(office: Office) -> None:
    office.says("kim", "d ACME the offer is 12%")
    asked = answer(office)
    code = re.fullmatch(r"Send this privately to ACME \(61 people\)\? Reply (\d{6}) to confirm\.", asked)
    assert code, asked
    office.says("kim", "OK")
    office.work()
    assert direct_posts(office) == 0
    office.says("kim", code[1])
    assert answer(office) == "This goes privately to ACME (61 people) in 10 s. To stop: UNDO"
    assert direct_posts(office) == 1
    assert office.sql("SELECT count(*) FROM inbound WHERE text = :code", code=code[1]) == [(0,)]
    office.says("kim", code[1])
    office.work()
    assert direct_posts(office) == 1


def test_by_mail_the_hold_is_enough(office: Office) -> None:
    """A mailbox's sender is proved at the door."""
    mail = b"From: kim@demo.example\r\nTo: acme@mail.example\r\n\r\nd ACME the offer is 12%\r\n"
    office.accept(Incoming("email", b"1", "kim@demo.example", ("post@mail.example",), mail, True, "<1@demo.example>"))
    office.read()
    assert direct_posts(office) == 1
