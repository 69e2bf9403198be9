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


def held_mail(pages: OperatorPages, to: str, words: str, sender: str = "kim@demo.example") -> int:
    """A mail that nothing proves."""
    raw = f"From: {sender}\r\nTo: {to}\r\nSubject: hello\r\n\r\n{words}\r\n".encode()
    row = pages.office.accept(
        Incoming("email", uuid.uuid4().bytes, sender, (to,), raw, False, "<x@demo.example>", None)
    )
    pages.office.sql("UPDATE inbound SET state = 'held', reason = 'nothing proves it' WHERE id = :id", id=row)
    return row


def state(pages: OperatorPages, row: int) -> object:
    return pages.office.sql("SELECT state FROM inbound WHERE id = :id", id=row)[0][0]


def test_what_is_held_names_whose_it_says_it_is_and_no_address(pages: OperatorPages) -> None:
    held_mail(pages, "post@mail.example", CANARY)
    held_mail(pages, "acme-TOKEN123@mail.example", CANARY, "stranger@elsewhere.example")
    page = pages.as_whom("dana").open("/operate/held").text
    words = plain(page)
    assert "As Kim Lee, to post@mail.example" in words
    assert "From somebody outside, to acme-…@mail.example" in words
    for hidden in (CANARY, "TOKEN123", "kim@demo.example", "stranger@"):
        assert hidden not in page


@pytest.mark.parametrize(
    ("act", "action", "becomes"), [("approve", "held.approve", "new"), ("drop", "held.drop", "dropped")]
)
def test_it_is_let_in_or_refused_with_a_reason(pages: OperatorPages, act: str, action: str, becomes: str) -> None:
    row = held_mail(pages, "post@mail.example", CANARY)
    answer = pages.as_whom("dana").press(f"/operate/held/{row}/{act}", {"reason": "they called me"})
    assert (answer.status_code, answer.location) == (303, "/operate/held")
    assert state(pages, row) == becomes
    assert pages.audited(action) == [("dana", row, {"reason": "they called me"})]
    assert pages.as_whom("dana").press(f"/operate/held/{row}/{act}").status_code == 422  # it is not held any more


@pytest.mark.parametrize("reason", ["it was kim@demo.example", "call 4155550101"])
def test_a_reason_names_nobody(pages: OperatorPages, reason: str) -> None:
    row = held_mail(pages, "post@mail.example", CANARY)
    assert pages.as_whom("dana").press(f"/operate/held/{row}/approve", {"reason": reason}).status_code == 422
    assert state(pages, row) == "held"
    assert pages.audited("held.approve") == []


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
    pages: OperatorPages, to: str, words: str, shown: bool
) -> None:
    row = held_mail(pages, to, words)
    page = pages.as_whom("dana").press(f"/operate/held/{row}/words").text
    assert (CANARY in page) == shown
    assert ("It may be private" in plain(page)) != shown
    assert pages.audited("held.words") == [("dana", row, {"shown": shown})]


def test_an_input_that_ended_three_workers_waits_here_too(pages: OperatorPages) -> None:
    row = pages.office.says("kim", "hello poison")
    pages.office.sql("UPDATE inbound SET state = 'quarantined', attempt = 3")
    assert "ended three workers" in pages.as_whom("dana").words("/operate/held")
    pages.as_whom("dana").press(f"/operate/held/{row}/approve")
    assert state(pages, row) == "new"


def report(pages: OperatorPages, said: str) -> int:
    row = pages.office.says("kim", said)
    pages.office.work()
    pages.office.sql(
        "INSERT INTO reports (reporter_id, account_id, post_id) SELECT s.id, p.author_id, p.id FROM accounts s, posts p"
        " WHERE s.handle = 'sam' AND p.inbound_id = :row",
        row=row,
    )
    return int(str(pages.office.sql("SELECT id FROM reports")[0][0]))


@pytest.mark.parametrize(("said", "shown"), [(f"{CANARY} all", True), (f"d anne {CANARY}", False)])
def test_a_report_shows_words_only_of_what_all_may_read(pages: OperatorPages, said: str, shown: bool) -> None:
    one = report(pages, said)
    visitor = pages.as_whom("dana")
    assert CANARY not in visitor.open("/operate/reports").text
    assert (CANARY in visitor.press(f"/operate/reports/{one}/words").text) == shown
    [(who, subject, _)] = pages.audited("reports.show")
    assert (who, subject) == ("dana", one)


def test_a_report_is_closed_once(pages: OperatorPages) -> None:
    one = report(pages, "hello all")
    visitor = pages.as_whom("dana")
    visitor.press(f"/operate/reports/{one}/close")
    visitor.press(f"/operate/reports/{one}/close")
    assert "It was closed already." in visitor.open("/operate/reports").text
    assert len(pages.audited("reports.close")) == 1
    assert "No report is open" in visitor.words("/operate/reports")
    assert "@sam reported @kim" in visitor.words("/operate/reports?all=1")
    assert visitor.press("/operate/reports/5/close").status_code == 422


def flag(pages: OperatorPages, said: str = "these are too many for me", who: str = "sam") -> int:
    row = pages.office.says(who, said)
    pages.office.work()
    with transaction(pages.office.engine) as session:
        address = pages.office.sql("SELECT id FROM addresses WHERE account_id = :id AND channel = 'sms'",
                                   id=pages.account(who))[0][0]  # fmt: skip
        consent.flag(session, session.get_one(Inbound, row), int(str(address)))
    pages.office.sql(
        "INSERT INTO refusals (inbound_id, address_id) SELECT :row, id FROM addresses"
        " WHERE account_id = :who AND channel = 'sms' ON CONFLICT DO NOTHING",
        row=row, who=pages.account(who),
    )  # fmt: skip
    return row


def test_it_was_a_no(pages: OperatorPages) -> None:
    row = flag(pages)
    visitor = pages.as_whom("dana")
    assert "@sam wrote something that reads like a wish to be left alone. …02" in visitor.words("/operate/consent")
    visitor.press(f"/operate/consent/{row}/stop")
    page = visitor.open("/operate/consent").text
    assert "Opted out. START from that phone brings texts back." in page
    assert pages.office.sql("SELECT stopped_at IS NOT NULL FROM addresses WHERE address = '+14155550102'")[0][0]
    assert pages.audited("consent.stop")[0][:2] == ("dana", row)
    assert "sam" not in str(pages.audited("consent.stop")[0][2])  # the audit names nobody


def test_it_was_none(pages: OperatorPages) -> None:
    row = flag(pages)
    visitor = pages.as_whom("dana")
    visitor.press(f"/operate/consent/{row}/dismiss")
    assert not pages.office.sql("SELECT 1 FROM addresses WHERE stopped_at IS NOT NULL")
    assert "may be a no" not in visitor.words("/operate/consent")


@pytest.mark.parametrize(
    ("said", "shown"), [(f"{CANARY} leave me alone", True), (f"d anne {CANARY} leave me alone", False)]
)
def test_flagged_words_are_shown_unless_private(pages: OperatorPages, said: str, shown: bool) -> None:
    row = flag(pages, said)
    page = pages.as_whom("dana").press(f"/operate/consent/{row}/words").text
    assert (CANARY in page) == shown
    assert pages.audited("consent.show")[0][:2] == ("dana", row)
    pages.as_whom("dana").press(f"/operate/consent/{row}/stop")
    assert CANARY not in pages.as_whom("dana").open("/operate/consent").text  # it stands as the words of a no now


def test_a_number_is_paused_with_reason_and_end_and_resumed(pages: OperatorPages) -> None:
    visitor = pages.as_whom("dana")
    visitor.press("/operate/numbers/0/pause", {"for": "2h", "reason": "moving the relay"})
    words = visitor.words("/operate/numbers")
    assert "paused till" in words
    assert "dana: moving the relay" in words
    [(who, subject, detail)] = pages.audited("carrier.pause")
    assert (who, subject, detail) == ("dana", 0, {"carrier": "smtp", "seconds": timedelta(hours=2).total_seconds()})
    visitor.press("/operate/numbers/0/resume")
    assert "The mail relay sends" in visitor.words("/operate/numbers")
    assert pages.audited("carrier.resume")[0][:2] == ("dana", 0)


def test_a_number_that_is_not_ours_is_not_there(pages: OperatorPages) -> None:
    assert pages.as_whom("dana").press("/operate/numbers/77/pause").status_code == 404
    assert pages.audited("carrier.pause") == []


def test_updates_go_again_after_the_breaker(pages: OperatorPages) -> None:
    pages.office.sql("INSERT INTO breaker (tripped_at, parts, usual) VALUES (now(), 900, 11)")
    visitor = pages.as_whom("dana")
    assert "Updates wait since" in visitor.words("/operate/numbers")
    assert "updates wait" in visitor.words("/operate/costs")
    visitor.press("/operate/breaker/resume", {"back": "/operate/costs"})
    assert "quiet" in visitor.words("/operate/costs")
    assert pages.audited("breaker.resume") == [("dana", None, {})]
    visitor.press("/operate/breaker/resume")
    assert "Nothing to resume" in visitor.open("/operate/numbers").text
