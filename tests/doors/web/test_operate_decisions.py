"""What an operator decides: held inputs, reports, texts that may be a no, numbers and carriers, the breaker."""

import uuid
from datetime import timedelta

import pytest

from gateway.ledger.inbox.inbox import Incoming
from gateway.network.people import consent
from gateway.store.database import transaction
from gateway.store.tables import Inbound
from tests.support.operator_pages import OperatorPages
from tests.support.web_visitor import plain

CANARY = "zanzibar"


def held_mail(operators: OperatorPages, to: str, words: str, sender: str = "kim@demo.example") -> int:
    """A mail that nothing proves."""
    raw = f"From: {sender}\r\nTo: {to}\r\nSubject: hello\r\n\r\n{words}\r\n".encode()
    row = operators.office.accept(
        Incoming("email", uuid.uuid4().bytes, sender, (to,), raw, False, "<x@demo.example>", None)
    )
    operators.office.sql("UPDATE inbound SET state = 'held', reason = 'nothing proves it' WHERE id = :id", id=row)
    return row


def state(operators: OperatorPages, row: int) -> object:
    return operators.office.sql("SELECT state FROM inbound WHERE id = :id", id=row)[0][0]


def test_what_is_held_names_whose_it_says_it_is_and_no_address(operators: OperatorPages) -> None:
    held_mail(operators, "post@mail.example", CANARY)
    held_mail(operators, "acme-TOKEN123@mail.example", CANARY, "stranger@elsewhere.example")
    page = operators.as_whom("dana").open("/operate/held").text
    words = plain(page)
    assert "As Kim Lee, to post@mail.example" in words
    assert "From somebody outside, to acme-…@mail.example" in words
    for hidden in (CANARY, "TOKEN123", "kim@demo.example", "stranger@"):
        assert hidden not in page


@pytest.mark.parametrize(
    ("act", "action", "becomes"), [("approve", "held.approve", "new"), ("drop", "held.drop", "dropped")]
)
def test_it_is_let_in_or_refused_with_a_reason(operators: OperatorPages, act: str, action: str, becomes: str) -> None:
    row = held_mail(operators, "post@mail.example", CANARY)
    answer = operators.as_whom("dana").press(f"/operate/held/{row}/{act}", {"reason": "they called me"})
    assert (answer.status_code, answer.location) == (303, "/operate/held")
    assert state(operators, row) == becomes
    assert operators.audited(action) == [("dana", row, {"reason": "they called me"})]
    assert operators.as_whom("dana").press(f"/operate/held/{row}/{act}").status_code == 422  # it is not held any more


@pytest.mark.parametrize("reason", ["it was kim@demo.example", "call 4155550101"])
def test_a_reason_names_nobody(operators: OperatorPages, reason: str) -> None:
    row = held_mail(operators, "post@mail.example", CANARY)
    assert operators.as_whom("dana").press(f"/operate/held/{row}/approve", {"reason": reason}).status_code == 422
    assert state(operators, row) == "held"
    assert operators.audited("held.approve") == []


@pytest.mark.parametrize(
    ("to", "words", "shown"),
    [
        ("post@mail.example", f"{CANARY} is ready", True),
        ("acme@mail.example", f"{CANARY} is ready", True),
        ("postmaster@mail.example", f"d anne {CANARY}", True),  # whoever mails us there mails the operators
        ("post@mail.example", f"d anne {CANARY}", False),
        ("post@mail.example", f"d acne {CANARY}", False),
        ("post@mail.example", f"#board {CANARY}", False),
        ("board@mail.example", f"{CANARY} is ready", False),
        ("anne@mail.example", f"{CANARY} is ready", False),
        ("r1234567890@mail.example", f"{CANARY} is ready", False),
        ("pin@mail.example", f"{CANARY}", False),
    ],
)
def test_words_of_what_is_held_are_shown_unless_they_may_be_private(
    operators: OperatorPages, to: str, words: str, shown: bool
) -> None:
    row = held_mail(operators, to, words)
    page = operators.as_whom("dana").press(f"/operate/held/{row}/words").text
    assert (CANARY in page) == shown
    assert ("It may be private" in plain(page)) != shown
    assert operators.audited("held.words") == [("dana", row, {"shown": shown})]


def test_an_input_that_ended_three_workers_waits_here_too(operators: OperatorPages) -> None:
    row = operators.office.says("kim", "hello poison")
    operators.office.sql("UPDATE inbound SET state = 'quarantined', attempt = 3")
    assert "ended three workers" in operators.as_whom("dana").words("/operate/held")
    operators.as_whom("dana").press(f"/operate/held/{row}/approve")
    assert state(operators, row) == "new"


def report(operators: OperatorPages, said: str) -> int:
    row = operators.office.says("kim", said)
    operators.office.work()
    operators.office.sql(
        "INSERT INTO reports (reporter_id, account_id, post_id) SELECT s.id, p.author_id, p.id FROM accounts s, posts p"
        " WHERE s.handle = 'sam' AND p.inbound_id = :row",
        row=row,
    )
    return int(str(operators.office.sql("SELECT id FROM reports")[0][0]))


@pytest.mark.parametrize(("said", "shown"), [(f"{CANARY} all", True), (f"d anne {CANARY}", False)])
def test_a_report_shows_words_only_of_what_all_may_read(operators: OperatorPages, said: str, shown: bool) -> None:
    one = report(operators, said)
    visitor = operators.as_whom("dana")
    assert CANARY not in visitor.open("/operate/reports").text
    assert (CANARY in visitor.press(f"/operate/reports/{one}/words").text) == shown
    [(who, subject, _)] = operators.audited("reports.show")
    assert (who, subject) == ("dana", one)


def test_a_report_is_closed_once(operators: OperatorPages) -> None:
    one = report(operators, "hello all")
    visitor = operators.as_whom("dana")
    visitor.press(f"/operate/reports/{one}/close")
    visitor.press(f"/operate/reports/{one}/close")
    assert "It was closed already." in visitor.open("/operate/reports").text
    assert len(operators.audited("reports.close")) == 1
    assert "No report is open" in visitor.words("/operate/reports")
    assert "@sam reported @kim" in visitor.words("/operate/reports?all=1")
    assert visitor.press("/operate/reports/5/close").status_code == 422


def flag(operators: OperatorPages, said: str = "these are too many for me", who: str = "sam") -> int:
    row = operators.office.says(who, said)
    operators.office.work()
    with transaction(operators.office.engine) as session:
        address = operators.office.sql("SELECT id FROM addresses WHERE account_id = :id AND channel = 'sms'",
                                   id=operators.account(who))[0][0]  # fmt: skip
        consent.flag(session, session.get_one(Inbound, row), int(str(address)))
    operators.office.sql(
        "INSERT INTO refusals (inbound_id, address_id) SELECT :row, id FROM addresses"
        " WHERE account_id = :who AND channel = 'sms' ON CONFLICT DO NOTHING",
        row=row, who=operators.account(who),
    )  # fmt: skip
    return row


def test_it_was_a_no(operators: OperatorPages) -> None:
    row = flag(operators)
    visitor = operators.as_whom("dana")
    assert "@sam wrote something that reads like a wish to be left alone. …02" in visitor.words("/operate/consent")
    visitor.press(f"/operate/consent/{row}/stop")
    page = visitor.open("/operate/consent").text
    assert "Opted out. START from that phone brings texts back." in page
    assert operators.office.sql("SELECT stopped_at IS NOT NULL FROM addresses WHERE address = '+14155550102'")[0][0]
    assert operators.audited("consent.stop")[0][:2] == ("dana", row)
    assert "sam" not in str(operators.audited("consent.stop")[0][2])  # the audit names nobody


def test_it_was_none(operators: OperatorPages) -> None:
    row = flag(operators)
    visitor = operators.as_whom("dana")
    visitor.press(f"/operate/consent/{row}/dismiss")
    assert not operators.office.sql("SELECT 1 FROM addresses WHERE stopped_at IS NOT NULL")
    assert "may be a no" not in visitor.words("/operate/consent")


@pytest.mark.parametrize(
    ("said", "shown"), [(f"{CANARY} leave me alone", True), (f"d anne {CANARY} leave me alone", False)]
)
def test_flagged_words_are_shown_unless_private(operators: OperatorPages, said: str, shown: bool) -> None:
    row = flag(operators, said)
    page = operators.as_whom("dana").press(f"/operate/consent/{row}/words").text
    assert (CANARY in page) == shown
    assert operators.audited("consent.show")[0][:2] == ("dana", row)
    operators.as_whom("dana").press(f"/operate/consent/{row}/stop")
    assert CANARY not in operators.as_whom("dana").open("/operate/consent").text  # it stands as the words of a no now


def test_a_number_is_paused_with_reason_and_end_and_resumed(operators: OperatorPages) -> None:
    visitor = operators.as_whom("dana")
    visitor.press("/operate/numbers/0/pause", {"for": "2h", "reason": "moving the relay"})
    words = visitor.words("/operate/numbers")
    assert "paused till" in words
    assert "dana: moving the relay" in words
    [(who, subject, detail)] = operators.audited("carrier.pause")
    assert (who, subject, detail) == ("dana", 0, {"carrier": "smtp", "seconds": timedelta(hours=2).total_seconds()})
    visitor.press("/operate/numbers/0/resume")
    assert "The mail relay sends" in visitor.words("/operate/numbers")
    assert operators.audited("carrier.resume")[0][:2] == ("dana", 0)


def test_a_number_that_is_not_ours_is_not_there(operators: OperatorPages) -> None:
    assert operators.as_whom("dana").press("/operate/numbers/77/pause").status_code == 404
    assert operators.audited("carrier.pause") == []


def test_updates_go_again_after_the_breaker(operators: OperatorPages) -> None:
    operators.office.sql("INSERT INTO breaker (tripped_at, parts, usual) VALUES (now(), 900, 11)")
    visitor = operators.as_whom("dana")
    assert "Updates wait since" in visitor.words("/operate/numbers")
    assert "updates wait" in visitor.words("/operate/costs")
    visitor.press("/operate/breaker/resume", {"back": "/operate/costs"})
    assert "quiet" in visitor.words("/operate/costs")
    assert operators.audited("breaker.resume") == [("dana", None, {})]
    visitor.press("/operate/breaker/resume")
    assert "Nothing to resume" in visitor.open("/operate/numbers").text
