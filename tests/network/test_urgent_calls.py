"""Urgent calls, with the real workers: who is told where and when, what answers them, and how they end."""

import re
from datetime import timedelta

import pytest

from gateway.carriers.common.protocol import Outcome
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox import settlements
from gateway.network.people import accounts
from gateway.network.verification import pins
from gateway.store.database import transaction
from tests.support import personas, urgent_call
from tests.support.desk import SLEEP, Desk
from tests.support.urgent_call import CALL, WORDS, begun, ending, forget, later, send, staff, states

OPEN = (0, False, True, None)
PHONE = """
    INSERT INTO addresses (account_id, channel, address, state, is_primary, introduced_at)
    SELECT id, 'sms', :phone, 'verified', false, now() FROM accounts WHERE handle = :handle
"""


def other_phone(desk: Desk, handle: str, phone: str = "+14155550177") -> str:
    desk.office.sql(PHONE, handle=handle, phone=phone)
    return phone


def texts_to(desk: Desk, phone: str) -> list[str]:
    return [one.body for one in desk.texts.taken if getattr(one, "recipient", None) == phone]


def test_it_is_told_by_text_where_there_is_consent_and_else_by_mail(desk: Desk) -> None:
    begun(desk)
    assert states(desk) == {"anne": OPEN, "bob": OPEN, "pat": OPEN, "dave": (1, False, True, None)}
    desk.clean()


def test_a_long_one_is_cut_before_what_answers_it(desk: Desk) -> None:
    begun(desk, "the gate is closed and " * 30)
    staff(desk)
    send(desk, "the other gate is closed and " * 30)
    [text] = desk.heard("bob")
    assert text.startswith("URGENT Dana Wu #dispatch: the other gate is closed and")
    assert re.search(r"https?://\S+ Reply OK( \([a-z]\d\))?$", text)


def test_each_hears_it_in_their_own_language(desk: Desk) -> None:
    staff(desk)
    desk.office.sql("UPDATE accounts SET language = 'es' WHERE handle IN ('bob', 'dave')")
    send(desk)
    assert desk.heard("bob") == [f"URGENTE Dana Wu #dispatch: {WORDS} Responde OK"]
    assert desk.heard("anne") == [CALL]
    [mail] = desk.mailed("dave")
    assert f"Subject: URGENTE Dana Wu #dispatch: {WORDS}" in mail
    assert "Responde OK a este correo" in mail
    desk.says("bob", f"Le gustó “URGENTE Dana Wu #dispatch: {WORDS} Responde OK”")
    assert states(desk)["bob"][1] is True
    desk.clean()


def test_the_mail_says_who_reads_the_answer(desk: Desk) -> None:
    staff(desk)
    send(desk)
    [mail] = desk.mailed("dave")
    assert "Reply OK to this mail. Only Dana Wu gets what you write." in mail
    assert "people who post in" not in mail


def test_all_three_steps_and_the_end(desk: Desk) -> None:
    second = None
    staff(desk)
    second = other_phone(desk, "anne")
    send(desk)
    forget(desk)
    later(desk, 5)
    assert states(desk)["anne"] == (1, False, True, None)
    assert states(desk)["bob"] == (2, False, False, None)  # no mailbox and no other phone
    [mail] = desk.mailed("anne")
    assert "You have not answered the text of" in mail
    assert not texts_to(desk, second)
    forget(desk)
    later(desk, 5)
    assert texts_to(desk, second) == [
        "URGENT, not yet answered. Dana Wu #dispatch: gate 4 is closed, use gate 2 Reply OK"
    ]
    [report] = desk.heard("dana")
    assert report.startswith("#dispatch: 0 of 4 OK so far. Not yet: Anne Cole, Bob Reyes, Dave Okafor")
    forget(desk)
    later(desk, 20)
    assert ending(desk) == "time"
    assert {each[0] for each in states(desk).values()} == {3}
    assert desk.heard("dana")[0].startswith("Your call to #dispatch is over after 30 min: 0 of 4 OK.")
    assert not desk.heard("anne")
    desk.clean()


def test_an_answer_stops_the_steps_and_calls_back_what_has_not_left(desk: Desk) -> None:
    begun(desk)
    desk.office.sql("UPDATE addresses SET bouncing_since = NULL")
    later(desk, 5, work=False)
    desk.go_on_calling()  # the mails are queued
    desk.office.says("anne", "OK")
    desk.work()
    assert not desk.mailed("anne")
    assert len(desk.mailed("pat")) == 1
    state = desk.office.sql(
        "SELECT d.state, d.reason FROM deliveries d JOIN addresses a ON a.id = d.address_id"
        " WHERE a.address = 'anne@demo.example'"
    )
    assert [tuple(row) for row in state] == [("cancelled", "answered")]
    later(desk, 5)
    assert states(desk)["anne"] == (1, True, False, None)
    desk.clean()


def test_a_text_in_doubt_is_not_tried_again_after_the_answer(desk: Desk) -> None:
    staff(desk)
    desk.texts.answers = lambda parcel: Outcome("unknown", None, "cut")
    send(desk, work=False)
    desk.work()
    desk.texts.answers = desk.texts.accept
    desk.office.says("anne", "ok")
    desk.work()
    assert states(desk)["anne"][1] is True
    desk.office.sql("UPDATE deliveries SET state = 'retry', not_before = now() WHERE state = 'unknown'")  # it was lost
    forget(desk)
    give_up(desk)
    desk.work()
    assert not [one for one in desk.heard("anne") if "URGENT" in one]
    assert not desk.mailed("anne")
    assert desk.heard("bob") == [CALL]
    desk.clean()


def give_up(desk: Desk) -> None:
    with transaction(desk.office.engine) as session:
        settlements.give_up(session)


@pytest.mark.parametrize("words", ["ok", "OK", "Okay!", "yes", "sí", "\U0001f44d", "👍🏽", "r ok"])
def test_every_way_to_say_ok(desk: Desk, words: str) -> None:
    begun(desk)
    desk.says("bob", words)
    assert states(desk)["bob"][1] is True
    [answer] = desk.heard("bob")
    assert re.fullmatch(r"Noted for #dispatch: OK at \d\d:\d\d\. Dana Wu sees it\.( \([a-z]\d\))?", answer)
    assert not desk.heard("dana")
    assert desk.office.sql("SELECT count(*) FROM posts")[0][0] == 1
    desk.clean()


@pytest.mark.parametrize("words", ["stuck at gate 4", "no", "r stuck at gate 4", "what gate?"])
def test_words_go_to_the_asker_alone(desk: Desk, words: str) -> None:
    begun(desk)
    desk.says("bob", words)
    [told] = desk.heard("dana")
    assert told == "Bob Reyes (private): " + words.removeprefix("r ")
    assert states(desk)["bob"][1] is True
    assert desk.heard("bob") == ["Noted, and Dana Wu alone was told what you wrote."]
    assert not desk.heard("anne")
    desk.clean()


@pytest.mark.parametrize("words", ["follow kim", "who got", "d kim hello", "@kim thanks", ".stuck at gate 4"])
def test_what_is_for_others_is_no_answer(desk: Desk, words: str) -> None:
    begun(desk)
    desk.says("bob", words)
    assert states(desk)["bob"] == OPEN
    assert not desk.heard("dana")
    desk.clean()


def test_an_ok_needs_no_pin_and_words_do(desk: Desk) -> None:
    with transaction(desk.office.engine) as session:
        bob = accounts.by_handle(session, "bob")
        assert bob
        pins.set_pin(session, bob.id, "4826", always=True)
    begun(desk)
    desk.says("bob", "stuck at gate 4")
    assert desk.heard("bob") == ["This needs your PIN. Reply with your PIN."]
    assert states(desk)["bob"] == OPEN
    desk.says("bob", "drop")
    desk.says("bob", "ok")
    assert states(desk)["bob"][1] is True


def test_a_call_is_proved_by_the_pin_of_who_has_one(desk: Desk) -> None:
    staff(desk)
    with transaction(desk.office.engine) as session:
        dana = accounts.by_handle(session, "dana")
        assert dana
        pins.set_pin(session, dana.id, "4826", always=False)
    desk.says("dana", f"urgent #dispatch {urgent_call.WORDS}")
    assert desk.heard("dana")[0].endswith("Each is asked for OK. Reply with your PIN.")
    desk.says("dana", "ok")
    desk.says("dana", "1111")
    assert not desk.heard("bob")
    desk.says("dana", "4826")
    assert desk.heard("bob") == [CALL]
    desk.clean()


def test_silence_or_drop_sends_nothing(desk: Desk) -> None:
    staff(desk)
    desk.says("dana", f"urgent #dispatch {urgent_call.WORDS}")
    desk.says("dana", "drop")
    assert not desk.heard("bob")
    assert desk.office.sql("SELECT count(*) FROM posts") == [(0,)]


def test_another_phone_of_theirs_answers(desk: Desk) -> None:
    begun(desk)
    phone = other_phone(desk, "bob")
    desk.office.accept_text(phone, "ok")
    desk.work()
    assert states(desk)["bob"][1] is True
    desk.clean()


def test_an_ok_before_the_text_has_left_is_none(desk: Desk) -> None:
    staff(desk)
    send(desk, work=False)
    desk.office.says("bob", "ok")
    desk.office.read()
    assert states(desk)["bob"] == OPEN


def test_two_calls_are_answered_one_by_one(desk: Desk) -> None:
    begun(desk)
    send(desk, "second call")
    forget(desk)
    desk.says("bob", "ok")
    answered = (
        "SELECT p.text, w.answered_at IS NOT NULL FROM call_people w JOIN posts p ON p.id = w.post_id"
        " JOIN accounts a ON a.id = w.account_id WHERE a.handle = 'bob' ORDER BY p.id"
    )
    assert [tuple(row) for row in desk.office.sql(answered)] == [(urgent_call.WORDS, False), ("second call", True)]
    desk.says("bob", "ok")
    assert [row[1] for row in desk.office.sql(answered)] == [True, True]
    desk.clean()


def test_it_comes_in_quiet_hours_and_to_a_phone_that_is_off(desk: Desk) -> None:
    staff(desk)
    desk.says("bob", SLEEP)
    desk.says("anne", "off")
    desk.office.sql(
        "UPDATE addresses SET quiet_since = now() - interval '1 hour', seen_at = NULL WHERE quiet IS NOT NULL"
    )
    forget(desk)
    answer = send(desk)
    assert "Not reached" not in answer
    assert desk.heard("bob") == [CALL]
    assert desk.heard("anne") == [CALL]
    desk.clean()


@pytest.mark.parametrize("words", ["prefer mail", "prefer digest for broadcasts", "prefer mail for dispatch"])
def test_it_comes_by_text_to_who_prefers_another_way(desk: Desk, words: str) -> None:
    staff(desk)
    desk.says("anne", words)
    forget(desk)
    assert "Not reached" not in send(desk)
    assert desk.heard("anne") == [CALL]
    assert not desk.mailed("anne")
    desk.clean()


def test_an_ordinary_update_still_waits_beside_it(desk: Desk) -> None:
    staff(desk)
    desk.says("bob", SLEEP)
    desk.office.sql("UPDATE addresses SET seen_at = NULL")
    forget(desk)
    desk.says("dana", "#dispatch good night")
    assert not desk.heard("bob")
    send(desk)
    assert desk.heard("bob") == [CALL]
    desk.clean()


GONE = {
    "opted out": ("bob", "STOP", "Not reached: Bob Reyes (opted out)."),
    "off": ("bob", "off dispatch", "Not reached: Bob Reyes (off)."),
    "no way": ("bob", "prefer nothing for dispatch", "Not reached: Bob Reyes (off)."),
    "no broadcasts": ("bob", "prefer nothing for broadcasts", "Not reached: Bob Reyes (off)."),
    "blocked": ("bob", "block dana", "Not reached: Bob Reyes (no address)."),
}


@pytest.mark.parametrize("how", GONE)
def test_who_cannot_be_reached_is_named_at_once(desk: Desk, how: str) -> None:
    handle, words, named = GONE[how]
    staff(desk)
    desk.says(handle, words)
    forget(desk)
    answer = send(desk)
    assert answer.startswith(f"Sent to 3 in #dispatch. {named} Report in 10 min, end at ")
    assert not desk.heard(handle)
    later(desk, 5)
    later(desk, 5)
    assert not desk.heard(handle)
    assert desk.heard("dana")[0].endswith("1 could not be reached.")
    desk.clean()


def test_who_muted_the_asker_gets_nothing_and_nobody_learns_of_it(desk: Desk) -> None:
    staff(desk)
    desk.says("bob", "mute dana")
    forget(desk)
    assert "Not reached" not in send(desk)
    later(desk, 5)
    later(desk, 25)
    assert not desk.heard("bob")
    desk.clean()


LEAVING = {
    "left": lambda desk: desk.says("bob", "leave dispatch"),
    "opted_out": lambda desk: desk.says("bob", "STOP"),
    "deactivated": lambda desk: desk.office.critter("people", "deactivate", "bob", "--yes"),
}


@pytest.mark.parametrize("why", LEAVING)
def test_who_leaves_is_out_and_counted_apart(desk: Desk, why: str) -> None:
    begun(desk)
    LEAVING[why](desk)
    forget(desk)
    later(desk, 5)
    assert states(desk)["bob"] == (0, False, False, why)
    later(desk, 5)
    assert "0 of 3 OK so far" in desk.heard("dana")[0]
    assert not desk.heard("bob")
    desk.clean()


def test_who_joins_later_is_not_asked(desk: Desk) -> None:
    begun(desk)
    desk.says("sam", "follow dispatch")
    forget(desk)
    later(desk, 5)
    assert "sam" not in states(desk)
    desk.says("sam", "ok then")
    assert not desk.heard("dana")
    desk.clean()


def test_the_last_answer_ends_it(desk: Desk) -> None:
    begun(desk)
    desk.office.sql(
        "DELETE FROM call_people USING accounts a WHERE a.id = account_id AND a.handle NOT IN ('bob', 'anne')"
    )
    desk.says("bob", "ok")
    assert ending(desk) is None
    desk.says("anne", "ok")
    assert ending(desk) == "all"
    assert desk.heard("dana") == ["All 2 in #dispatch answered, the last after 1 min."]
    later(desk, 40)
    assert not desk.heard("dana")
    desk.clean()


def test_after_a_standstill_each_step_is_taken_once_and_only_the_end_is_told(desk: Desk) -> None:
    begun(desk)
    later(desk, 120)
    assert len(desk.mailed("anne")) == 1
    assert len(desk.heard("dana")) == 1
    assert ending(desk) == "time"
    desk.clean()


def test_undo_stops_it_and_tells_who_had_it(desk: Desk) -> None:
    begun(desk)
    later(desk, 5, work=False)
    desk.go_on_calling()
    desk.office.says("dana", "undo")
    desk.work()
    assert desk.heard("dana") == ["Your call to #dispatch is stopped: 4 had it, 0 had answered. They are told."]
    told = "Dana Wu took back the urgent call to #dispatch. There is nothing to do or answer."
    assert [one.startswith(told) for one in desk.heard("bob")] == [True]
    assert [told in mail.replace("=\r\n", "") for mail in desk.mailed("anne")] == []  # her text, and not the mail
    later(desk, 60)
    assert not desk.heard("bob")
    assert ending(desk) == "undone"
    desk.clean()


def test_undo_before_anybody_has_it(desk: Desk) -> None:
    staff(desk)
    send(desk, work=False)
    desk.office.says("dana", "undo")
    desk.work()
    assert "Your call to #dispatch is stopped: nobody got it." in desk.heard("dana")
    assert not desk.heard("bob")
    desk.clean()


def test_it_overtakes_a_stuck_update_of_its_author_and_nothing_else_does(desk: Desk) -> None:
    staff(desk)
    stuck = timedelta(hours=1)
    desk.texts.answers = lambda parcel: Outcome("retry", None, "30001", stuck)
    desk.says("dana", "#dispatch an update that is stuck")
    desk.texts.answers = desk.texts.accept
    forget(desk)
    desk.says("dana", "d bob a private one")
    assert not desk.heard("bob")
    forget(desk)
    send(desk)
    assert desk.heard("bob") == [CALL]
    assert desk.office.sql("SELECT count(*) FROM deliveries WHERE state = 'retry'")[0][0] >= 1


def test_it_uses_the_reserve_and_passes_the_breaker(desk: Desk) -> None:
    staff(desk)
    desk.office.sql("INSERT INTO breaker (tripped_at) VALUES (now()) ON CONFLICT DO NOTHING")
    desk.office.sql("UPDATE breaker SET tripped_at = now()")
    send(desk)
    assert desk.heard("bob") == [CALL]


def test_a_machine_never_answers(desk: Desk) -> None:
    begun(desk)
    post, address = desk.office.sql(
        "SELECT c.post_id, a.id FROM calls c, addresses a WHERE a.address = 'dave@demo.example'"
    )[0]
    token = desk.office.registry.signer.sign("reply", int(str(post)), int(str(address)))
    to = f"r+{token}@{personas.DOMAIN}"
    for number, head in enumerate(("Auto-Submitted: auto-replied\r\n", "Precedence: bulk\r\n", "")):
        subject = "Automatic reply: URGENT" if not head else "Re: URGENT"
        raw = (
            f"Return-Path: <dave@demo.example>\r\nFrom: dave@demo.example\r\nTo: {to}\r\nSubject: {subject}\r\n"
            f"Message-ID: <{number}@demo.example>\r\n{head}\r\nOK\r\n"
        )
        desk.office.accept(mail_of_dave(to, raw, number))
    desk.work()
    assert states(desk)["dave"] == (1, False, True, None)
    desk.clean()


def mail_of_dave(to: str, raw: str, number: int) -> Incoming:
    identity = f"m{number}".encode()
    return Incoming("email", identity, "dave@demo.example", (to,), raw.encode(), True, f"<{number}@demo.example>")


def test_a_question_that_came_later_gets_the_ok(desk: Desk) -> None:
    begun(desk)
    desk.office.sql("UPDATE deliveries SET sent_at = sent_at - interval '1 minute' WHERE sent_at IS NOT NULL")
    desk.says("bob", "unfollow the dispatch please")
    forget(desk)
    desk.says("bob", "drop")
    assert states(desk)["bob"] == OPEN


def test_a_step_that_was_taken_is_not_due_again(desk: Desk) -> None:
    begun(desk)
    later(desk, 5, work=False)
    desk.go_on_calling()
    desk.go_on_calling()
    copies = desk.office.sql(
        "SELECT count(*) FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE m.instead_of IS NOT NULL"
    )
    assert copies == [(2,)]
