"""Guessing (R57, F39): five wrong codes or PINs in somebody's name lock, however they are spread, and nobody else."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.inbound.process import process
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.network.people import accounts, addresses
from gateway.network.verification import codes, lockouts, pins
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Account
from tests.support.office import Office, Ran, point_command_line

ANNES_SECOND = "+14155550188"
RISKY = "add kim board"  # anne owns the closed group


def person(office: Office, handle: str) -> int:
    with transaction(office.engine) as session:
        account = accounts.by_handle(session, handle)
        assert account
        return account.id


def types(office: Office, code: str) -> Ran:
    return office.critter("people", "link", "anne", "--code", "--stdin", given=f"{code}\n".encode())


def last(office: Office, address: str, kind: str = "answer") -> str:
    """The last of our words to that phone or mailbox."""
    office.work()
    rows = office.sql(
        "SELECT m.text FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN addresses a ON a.id = d.address_id"
        " WHERE m.kind = :kind AND a.address = :address ORDER BY m.id DESC LIMIT 1",
        kind=kind,
        address=address,
    )
    return str(rows[0][0]) if rows else ""


def phone(office: Office, handle: str) -> str:
    """Their first one: rows that are not ordered come in another order once they were changed."""
    rows = office.sql(
        "SELECT address FROM addresses a JOIN accounts p ON p.id = a.account_id WHERE handle = :h AND channel = 'sms'"
        " ORDER BY a.id",
        h=handle,
    )
    return str(rows[0][0])


def asks(office: Office, words: str = RISKY, number: str | None = None) -> str:
    """Anne's phone is asked; the right code."""
    office.accept_text(number or phone(office, "anne"), words)
    asked = last(office, number or phone(office, "anne"))
    code = re.search(r"Reply (\d{6}) to", asked)
    assert code, asked
    return code[1]


def wrong(code: str) -> Iterator[str]:
    return (each for number in range(1000) if (each := f"{number:06}") != code)


def mails(office: Office, words: str, sender: str = "anne@demo.example") -> None:
    raw = f"From: {sender}\r\nTo: post@mail.example\r\n\r\n{words}\r\n".encode()
    identity = f"{words} {office.sql('SELECT count(*) FROM inbound')}".encode()
    office.accept(Incoming("email", identity, sender, ("post@mail.example",), raw, True, f"<{hash(identity)}@x>"))
    office.work()


def in_board(office: Office) -> bool:
    return bool(
        office.sql(
            "SELECT 1 FROM follows f JOIN accounts p ON p.id = follower_id JOIN accounts g ON g.id = f.account_id"
            " WHERE p.handle = 'kim' AND g.handle = 'board'"
        )
    )


def audited(office: Office) -> dict[str, int]:
    rows = office.sql("SELECT action, count(*) FROM audit WHERE action ~ '^(pin|code)' GROUP BY action")
    return {str(action): int(str(number)) for action, number in rows}


def test_five_wrong_codes_lock_over_however_many_questions(office: Office) -> None:
    for number in range(5):
        code = asks(office)
        office.says("anne", next(wrong(code)))
        assert ("more" in last(office, phone(office, "anne"))) == (number < 4)
    assert last(office, phone(office, "anne")).startswith("Too many wrong codes or PINs")
    office.says("anne", code)
    office.says("anne", RISKY)
    assert "You cannot confirm by text for 1 hour" in last(office, phone(office, "anne"))
    office.says("anne", code)
    office.work()
    assert not in_board(office)
    assert audited(office) == {"code.wrong": 5, "code.locked": 1}
    assert last(office, "anne@demo.example", "notice").startswith("Five wrong codes or PINs came in your name, @anne.")
    assert office.sql("SELECT count(*) FROM posts") == [(0,)], "no guess becomes an update"


@pytest.mark.parametrize("form", ["{} {}", "{}-{}", "code {}{}", "Yes, {}{}", "Reply {}{}.", "my code is {}{}"])
def test_a_guess_counts_however_it_is_typed(office: Office, form: str) -> None:
    code = asks(office)
    guess = next(wrong(code))
    office.says("anne", form.format(guess[:3], guess[3:]))
    assert last(office, phone(office, "anne")).startswith("That is not the code.")
    assert audited(office) == {"code.wrong": 1}
    office.says("anne", form.format(code[:3], code[3:]))
    office.work()
    assert in_board(office)
    assert office.sql("SELECT count(*) FROM posts") == [(0,)]


def test_a_code_that_goes_the_wrong_way_is_not_published(office: Office) -> None:
    """Asked by mail and answered by text; asked by text and answered by mail; a link code from a phone that we know."""
    mails(office, RISKY)
    sent = re.search(r"\d{6}", last(office, phone(office, "anne"), "notice"))
    assert sent
    office.says("anne", sent[0])
    assert last(office, phone(office, "anne")).startswith("Digits alone may be a code or a PIN, so nothing was posted.")
    code = asks(office, "remove dave board")
    mails(office, f"the code is {code}")
    with transaction(office.engine) as session:
        link = codes.link(session, Signer(office.settings.secret_keys), person(office, "anne"))
    for words in (link, f"code: {link}"):
        office.says("sam", words)
    office.work()
    assert office.sql("SELECT count(*) FROM posts") == [(0,)]
    mails(office, sent[0])
    assert in_board(office), "its question still waits for it"


def test_guesses_from_two_phones_and_a_mailbox_are_one_count(office: Office) -> None:
    anne = person(office, "anne")
    with transaction(office.engine) as session:
        addresses.add(session, anne, "sms", ANNES_SECOND)
    first, second = asks(office), asks(office, number=ANNES_SECOND)
    for number, code in ((phone(office, "anne"), first), (ANNES_SECOND, second), (phone(office, "anne"), first)):
        office.accept_text(number, next(wrong(code)))
    office.work()
    mails(office, RISKY)
    by_text = re.search(r"\d{6}", last(office, phone(office, "anne"), "notice"))
    assert by_text
    mails(office, next(wrong(by_text[0])))
    mails(office, next(wrong(by_text[0])))
    for number, code in ((phone(office, "anne"), first), (ANNES_SECOND, second)):
        office.accept_text(number, code)
    mails(office, by_text[0])
    assert not in_board(office)
    assert audited(office) == {"code.wrong": 5, "code.locked": 1}


def test_codes_and_pins_are_one_count(office: Office) -> None:
    code = asks(office)
    guesses = wrong(code)
    for _ in range(3):
        office.says("anne", next(guesses))
    office.work()
    with transaction(office.engine) as session:
        session.execute(text("UPDATE accounts SET pin = 'risky' WHERE handle = 'anne'"))
        pins.set_pin(session, person(office, "anne"), "4826")
        for _ in range(3):  # a new PIN opens the lock: those wrong ones were meant to stand
            lockouts.record_wrong(session, person(office, "anne"), "sms")
    office.says("anne", RISKY)
    office.says("anne", "1111")
    office.says("anne", "2222")
    office.says("anne", "4826")
    office.work()
    assert not in_board(office)
    assert audited(office)["pin.locked"] == 1


def test_by_mail_the_honest_owner_still_confirms(office: Office) -> None:
    guesses = wrong(asks(office))
    for _ in range(5):
        office.says("anne", next(guesses))
    office.work()
    mails(office, RISKY)
    code = re.search(r"\d{6}", last(office, phone(office, "anne"), "notice"))
    assert code
    mails(office, code[0])
    assert in_board(office)
    office.says("anne", "remove kim board")
    assert "by text" in last(office, phone(office, "anne")), "the phone stays locked"


def test_a_lock_ends_and_the_next_one_is_longer(office: Office) -> None:
    for hours in (1, 6, 24, 24):
        guesses = wrong(asks(office))
        for _ in range(5):
            office.says("anne", next(guesses))
        assert f"for {hours} hour" in last(office, phone(office, "anne"))
        office.sql("UPDATE lockouts SET locked_until = now() - interval '1 second'")
        office.sql("DELETE FROM deliveries")
    office.says("anne", asks(office))
    office.work()
    assert in_board(office)


def test_a_right_code_begins_the_count_anew(office: Office) -> None:
    code = asks(office)
    guesses = wrong(code)
    for _ in range(4):
        office.says("anne", next(guesses))
    office.says("anne", code)
    office.work()
    assert in_board(office)
    office.says("anne", next(wrong(asks(office, "remove kim board"))))
    assert "4 more tries" in last(office, phone(office, "anne"))


def guessed_between(office: Office, rounds: int) -> None:
    """Four wrong ones, then the owner's right one, and so on."""
    for _ in range(rounds):
        code = asks(office)
        guesses = wrong(code)
        for _ in range(4):
            office.says("anne", next(guesses))
        office.says("anne", code)
        office.work()
        office.sql("DELETE FROM follows WHERE follower_id = :kim", kim=person(office, "kim"))
        office.sql("DELETE FROM deliveries")


def test_right_ones_between_do_not_hide_twenty_wrong_ones_of_a_month(office: Office) -> None:
    office.sql("UPDATE accounts SET role = 'operator' WHERE handle = 'dana'")
    guessed_between(office, 4)
    guesses = wrong(asks(office))
    said = []
    for _ in range(4):
        office.says("anne", next(guesses))
        said.append(last(office, phone(office, "anne")))
    assert ["more tr" in words for words in said] == [True, True, True, False]
    assert "1 more try" in said[2]
    assert "for 1 hour" in said[3]
    assert audited(office)["code.locked"] == 1
    told = office.sql("SELECT text FROM messages WHERE kind = 'notice' AND text LIKE 'Twenty wrong codes or PINs%'")
    assert any("in your name in 30 days, @anne" in str(row[0]) for row in told)
    assert any("for @anne in 30 days: locked for 1 hour" in str(row[0]) for row in told)
    office.sql("UPDATE lockouts SET locked_until = now() - interval '1 second'")
    office.says("anne", next(wrong(asks(office))))  # and each further one of that month locks again, for longer
    assert "for 6 hours" in last(office, phone(office, "anne"))


@pytest.mark.parametrize("how", ["an operator", "a month"])
def test_the_count_of_a_month_ends(
    office: Office, settings: Settings, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    point_command_line(monkeypatch, settings)
    guessed_between(office, 4)
    if how == "an operator":
        office.critter("people", "unlock", "anne")
    else:
        monkeypatch.setattr(lockouts, "REMEMBERED", timedelta(0))
    guesses = wrong(asks(office))
    for _ in range(4):
        office.says("anne", next(guesses))
    assert "1 more try" in last(office, phone(office, "anne"))
    assert "code.locked" not in audited(office)


def test_others_confirm_while_one_is_locked(office: Office) -> None:
    guesses = wrong(asks(office))
    for _ in range(6):
        office.says("anne", next(guesses))
    office.says("dana", "add sam dispatch")
    office.work()
    office.says("dana", "1")
    assert re.search(r"Reply \d{6}", last(office, phone(office, "dana")))


def test_an_operator_unlocks(office: Office, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    point_command_line(monkeypatch, settings)
    guesses = wrong(asks(office))
    for _ in range(5):
        office.says("anne", next(guesses))
    office.work()
    assert office.critter("people", "unlock", "anne").output == "@anne may confirm again.\n"
    assert office.critter("people", "unlock", "anne").output == "@anne was not locked.\n"
    office.says("anne", asks(office))
    office.work()
    assert in_board(office)
    assert office.sql("SELECT count(*) FROM audit WHERE action = 'people.unlock'") == [(1,)]


def typed(office: Office, code: str) -> str:
    return types(office, code).output


def test_codes_typed_at_the_command_line_count_too(
    office: Office, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_command_line(monkeypatch, settings)
    new = "+14155550177"
    for _ in range(2):  # a second code gives no second five
        office.critter("people", "link", "anne", new)
        code = re.findall(r"\b\d{6}\b", last(office, new, "code"))[0]
        guesses = wrong(code)
        ran = [types(office, next(guesses)) for _ in range(5)]
    assert "unlock anne" in ran[-1].output
    assert "unlock anne" in types(office, code).output
    assert audited(office) == {"code.wrong": 5, "code.locked": 1}
    assert last(office, "anne@demo.example", "notice") or last(office, phone(office, "anne"), "notice")


def test_answers_at_the_same_time_are_counted_one_after_the_other(office: Office) -> None:
    """Twenty at once, from as many transactions: five are looked at."""
    anne, looked = person(office, "anne"), []
    barrier = threading.Barrier(20)

    def guess(channel: str) -> None:
        barrier.wait()
        with transaction(office.engine) as session:
            if lockouts.hold(session, anne, channel) is None:
                looked.append(lockouts.record_wrong(session, anne, channel))

    threads = [threading.Thread(target=guess, args=("sms",)) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(looked) == 5
    assert sorted(one.left for one in looked) == [0, 1, 2, 3, 4]


def test_what_was_wrong_a_day_ago_does_not_count(office: Office) -> None:
    anne = person(office, "anne")
    with transaction(office.engine) as session:
        for _ in range(4):
            lockouts.record_wrong(session, anne, "sms")
        session.execute(text("UPDATE lockouts SET wrong_at = wrong_at - CAST(:day AS interval)"), {"day": timedelta(1)})
        assert lockouts.record_wrong(session, anne, "sms") == lockouts.Counted(4, None)


def silenced(office: Office, how: str) -> None:
    """No answer goes to Anne's phone any more."""
    match how:
        case "sixty answers in this hour":
            for number in range(60):
                office.says("anne", f"get {number + 1} sales")
                office.read()
        case "the same words again and again":
            for _ in range(3):
                office.says("anne", RISKY)
                office.read()
            office.sql("UPDATE conversations SET question = NULL, expires_at = NULL")
        case "the budget is used up":
            office.sql(
                "INSERT INTO budgets (day, scope, used, allowed)"
                " SELECT (now() AT TIME ZONE 'UTC')::date, 'company_day', 10000000, 10000000"
            )
        case "opted out":
            office.sql(
                "UPDATE addresses SET state = 'stopped', stopped_at = now() WHERE address = :p", p=phone(office, "anne")
            )
        case "no texts go to that country":
            settings = office.settings.model_copy(update={"sms_countries": ("FR",)})
            office.settings = settings
            office.__post_init__()


@pytest.mark.parametrize(
    "how",
    ["sixty answers in this hour", "the same words again and again", "the budget is used up", "opted out",
     "no texts go to that country"],
)  # fmt: skip
def test_a_question_that_may_not_be_sent_is_not_opened(office: Office, how: str) -> None:
    silenced(office, how)
    before = office.sql("SELECT count(*) FROM drafts")
    row = office.says("anne", RISKY)
    office.read()
    assert office.sql("SELECT count(*) FROM conversations WHERE question IS NOT NULL") == [(0,)]
    assert office.sql("SELECT count(*) FROM drafts") == before
    [[state, reason]] = office.sql("SELECT state, reason FROM inbound WHERE id = :id", id=row)
    assert how == "opted out" or (state == "dropped" and "asked about" in str(reason))


def test_no_code_and_no_pin_is_kept_in_the_clear_where_it_was_answered(office: Office) -> None:
    guesses = wrong(asks(office))
    said = [next(guesses) for _ in range(7)]
    for each in said:
        office.says("anne", each)
    office.work()
    tables = ("inbound", "lockouts", "conversations", "audit", "effects", "posts")
    found = {table: office.sql(f"SELECT t::text FROM {table} t") for table in tables}
    assert found["inbound"]
    assert found["audit"]
    for table, rows in found.items():
        assert not [row for (row,) in rows for each in said[:5] if re.search(rf"(?<!\d){each}(?!\d)", str(row))], table


def test_account_rows_are_not_held_up(office: Office) -> None:
    """Whoever's answer is looked at holds their own count, and nothing that a post needs."""
    anne = person(office, "anne")
    with transaction(office.engine) as session:
        lockouts.hold(session, anne, "sms")
        with transaction(office.engine) as other:
            other.execute(text("SET LOCAL lock_timeout = '1s'"))
            other.get_one(Account, anne).title = "Director"
    assert office.sql("SELECT title FROM accounts WHERE handle = 'anne'") == [("Director",)]


def _claimed(office: Office) -> list[inbox.ClaimedInput]:
    with transaction(office.engine) as session:
        return inbox.claim(session, "test", timedelta(minutes=1), 1)


def test_several_workers_look_at_no_more_than_five(office: Office) -> None:
    """Twelve texts from each of two phones are in flight at once, and four workers read them."""
    with transaction(office.engine) as session:
        addresses.add(session, person(office, "anne"), "sms", ANNES_SECOND)
    numbers = {phone(office, "anne"): asks(office), ANNES_SECOND: asks(office, number=ANNES_SECOND)}
    for guess in range(12):
        for number, code in numbers.items():
            if code != f"{guess:06}":
                office.accept_text(number, f"{guess:06}")

    def work() -> None:
        while claimed := _claimed(office):
            with transaction(office.engine) as session:
                row, _ = inbox.take(session, claimed[0]) or (None, None)
                if row is not None:
                    ended = process(session, office.registry, row)
                    inbox.finish(session, row, ended.state, ended.intent, ended.reason, ended.account_id)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    office.work()
    assert audited(office) == {"code.wrong": 5, "code.locked": 1}
    assert office.sql("SELECT count(*) FROM posts") == [(0,)]
