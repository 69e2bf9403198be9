"""Questions to a group, with the real workers: who sees which answer, when, and what becomes of one at its edges."""

import threading

import pytest

from gateway.ledger.operations import restore_hold
from gateway.network.calls import call_timers
from gateway.network.people import accounts, erase
from gateway.network.receipts import call_reports
from gateway.store.database import transaction
from tests.network.test_urgent_races import at_each_place
from tests.support.desk import Desk
from tests.support.urgent_call import ending, forget, later
from workers import calls

JOIN = """
    INSERT INTO follows (follower_id, account_id, role, by_text)
    SELECT p.id, g.id, 'member', true FROM accounts p, accounts g
    WHERE p.handle IN ('kim', 'sam', 'bob') AND g.handle = 'sales' ON CONFLICT DO NOTHING
"""
QUESTION = "who has the ACME contract?"
HEAD = '"who has the ACME..."'
SUMMARIES = "SELECT count(*) FROM messages WHERE kind = 'notice' AND text LIKE '%ACME%'"


def asked(desk: Desk) -> None:
    """Kim asks Pat, Sam and Bob."""
    desk.office.sql(JOIN)
    desk.says("kim", f"ask #sales {QUESTION}")
    forget(desk)


def answers(desk: Desk) -> dict[str, tuple[object, ...]]:
    rows = desk.office.sql(
        "SELECT a.handle, p.text, p.late, p.retracted_at IS NOT NULL FROM call_people p"
        " JOIN accounts a ON a.id = p.account_id WHERE p.answered_at IS NOT NULL ORDER BY a.handle"
    )
    return {str(row[0]): tuple(row[1:]) for row in rows}


def test_answers_are_no_posts_and_nobody_sees_them_before_the_end(desk: Desk) -> None:
    asked(desk)
    desk.says("sam", "r Dana has it")
    desk.says("bob", "r not me")
    assert answers(desk) == {"sam": ("Dana has it", False, False), "bob": ("not me", False, False)}
    assert desk.office.sql("SELECT count(*) FROM posts") == [(1,)]
    assert not desk.heard("kim")
    assert not desk.heard("pat")
    desk.clean()


def test_each_is_told_in_their_language_and_by_their_clock(desk: Desk) -> None:
    desk.office.sql("UPDATE accounts SET language = 'es', timezone = 'Asia/Tokyo' WHERE handle = 'sam'")
    desk.office.sql(JOIN)
    desk.says("kim", f"ask #sales {QUESTION}")
    [[till, in_tokyo]] = desk.office.sql(
        "SELECT to_char(ends_at AT TIME ZONE a.timezone, 'HH24:MI'), to_char(ends_at AT TIME ZONE 'Asia/Tokyo',"
        " 'HH24:MI') FROM calls, accounts a WHERE a.handle = 'pat'"
    )
    how = f"r text answers, privately, till {till}"
    assert desk.heard("pat") == [f"Asked by Kim Lee #sales: {QUESTION} {how}"]
    como = f"r texto responde, en privado, hasta las {in_tokyo}"
    assert desk.heard("sam") == [f"Pregunta de Kim Lee #sales: {QUESTION} {como}"]


def test_one_summary_goes_to_the_asker_and_to_who_answered(desk: Desk) -> None:
    asked(desk)
    desk.says("sam", "r Dana has it")
    desk.says("bob", "r not me")
    forget(desk)
    later(desk, 61)
    summary = f"{HEAD}: 2 answers of 3 asked.\nSam Ortiz: Dana has it\nBob Reyes: not me"
    assert [desk.heard(one) for one in ("kim", "sam", "bob", "pat")] == [[summary], [summary], [summary], []]
    later(desk, 61)
    assert not desk.heard("kim")
    desk.clean()


def test_blocked_pairs_do_not_see_each_others_answers(desk: Desk) -> None:
    asked(desk)
    desk.says("sam", "r Dana has it")
    desk.says("bob", "r not me")
    desk.says("bob", "block sam")
    forget(desk)
    later(desk, 61)
    [kims], [sams], [bobs] = (desk.heard(one) for one in ("kim", "sam", "bob"))
    assert [("Dana has it" in one, "not me" in one) for one in (kims, sams, bobs)] == [
        (True, True),
        (True, False),
        (False, True),
    ]
    desk.clean()


def test_a_long_summary_goes_on_with_more(desk: Desk) -> None:
    asked(desk)
    for handle in ("sam", "bob", "pat"):
        desk.says(
            handle, "r " + f"{handle} has seen it somewhere in the archive, in the third cupboard on the left, " * 2
        )
    forget(desk)
    later(desk, 61)
    [told] = desk.heard("kim")
    assert told.endswith("text MORE for the rest")
    desk.says("kim", "more")
    desk.says("kim", "more")
    assert "Pat Quinn: pat has seen it" in " ".join(desk.heard("kim"))


def test_only_the_asker_sees_the_answers_so_far(desk: Desk) -> None:
    asked(desk)
    desk.office.sql(
        "UPDATE follows SET role = 'owner' WHERE follower_id = (SELECT id FROM accounts WHERE handle = 'pat')"
        " AND account_id = (SELECT id FROM accounts WHERE handle = 'sales')"
    )
    desk.says("sam", "r Dana has it")
    forget(desk)
    desk.says("kim", "who got")
    assert desk.heard("kim") == [f"{HEAD}: 1 answer of 3 asked.\nSam Ortiz: Dana has it"]
    desk.says("pat", "who got sales")
    assert "Dana has it" not in desk.heard("pat")[0]


def test_the_newest_answer_counts_and_undo_brings_the_one_before_back(desk: Desk) -> None:
    asked(desk)
    desk.says("sam", "r Dana has it")
    desk.says("sam", "r no, Pat has it")
    assert answers(desk)["sam"][0] == "no, Pat has it"
    desk.says("sam", "undo")
    assert answers(desk)["sam"][0] == "Dana has it"
    desk.says("bob", "r not me")
    desk.says("bob", "undo")
    assert answers(desk)["bob"] == ("not me", False, True)
    forget(desk)
    later(desk, 61)
    assert "not me" not in desk.heard("kim")[0]
    assert not desk.heard("bob")
    desk.clean()


def test_an_answer_by_mail(desk: Desk) -> None:
    desk.office.sql(JOIN)
    desk.office.sql(
        "INSERT INTO follows (follower_id, account_id, role, by_text) SELECT p.id, g.id, 'member', false"
        " FROM accounts p, accounts g WHERE p.handle = 'dave' AND g.handle = 'sales'"
    )
    desk.says("kim", f"ask #sales {QUESTION}")
    [mail] = desk.mailed("dave")
    assert "Answers to this mail are private, till " in mail.replace("=\r\n", "")
    assert "Reply to this mail to answer Kim Lee. Your answer is no post." in mail.replace("=\r\n", "")


def test_a_late_answer_goes_to_the_asker_alone(desk: Desk) -> None:
    asked(desk)
    desk.says("sam", "r Dana has it")
    later(desk, 61)
    forget(desk)
    desk.says("bob", "r it is in the archive")
    assert desk.heard("bob") == ["Too late for the summary; only Kim Lee was told."]
    assert [one.partition(" (")[0] for one in desk.heard("kim")] == [f"Bob Reyes, late on {HEAD}: it is in the archive"]
    assert not desk.heard("sam")
    desk.clean()


def test_who_has_left_the_closed_group_gets_no_summary(desk: Desk) -> None:
    desk.office.sql(
        "INSERT INTO follows (follower_id, account_id, role, by_text) SELECT p.id, g.id, 'member', true"
        " FROM accounts p, accounts g WHERE p.handle IN ('sam', 'bob') AND g.handle = 'board'"
    )
    desk.says("anne", "ask #board shall we merge with ACME?")
    desk.says("sam", "r never")
    desk.says("bob", "r yes")
    desk.says("bob", "leave board")
    forget(desk)
    later(desk, 61)
    assert "never" in desk.heard("anne")[0]
    assert not desk.heard("bob")
    desk.clean()


def test_undo_of_the_question_tells_those_who_answered(desk: Desk) -> None:
    asked(desk)
    desk.says("sam", "r Dana has it")
    forget(desk)
    desk.says("kim", "undo")
    assert desk.heard("sam") == ["Kim Lee took the question back that you had answered. Nobody else saw your answer."]
    assert not desk.heard("bob")
    later(desk, 61)
    assert ending(desk) == "undone"
    desk.says("sam", "r anyway")
    assert answers(desk)["sam"][0] == "Dana has it"
    desk.clean()


def test_words_that_were_private_are_asked_about_first(desk: Desk) -> None:
    asked(desk)
    desk.says("pat", "d sam the contract is worth four million dollars a year")
    desk.says("kim", "#sales anybody?")
    desk.says("sam", "r the contract is worth four million dollars a year")
    assert answers(desk) == {}


def test_an_end_is_whole_or_nothing_at_each_place(desk: Desk) -> None:
    asked(desk)
    desk.says("sam", "r Dana has it")
    later(desk, 61, work=False)

    def nothing() -> None:
        assert ending(desk) is None
        assert desk.office.sql(SUMMARIES) == [(0,)]

    assert at_each_place(desk, lambda: calls.step(desk.context), nothing) >= 6
    assert desk.office.sql(SUMMARIES) == [(1,)]
    assert not calls.step(desk.context)
    desk.clean()


def test_an_answer_is_whole_or_nothing_at_each_place(desk: Desk) -> None:
    asked(desk)
    desk.office.says("sam", "r Dana has it")

    def nothing() -> None:
        assert answers(desk) == {}
        desk.office.sql(
            "UPDATE inbound SET state = 'new', lease_until = NULL, lease_owner = NULL WHERE state = 'working'"
        )

    assert at_each_place(desk, desk.office.read, nothing) >= 8
    assert answers(desk) == {"sam": ("Dana has it", False, False)}


def test_an_answer_that_waits_for_the_end_is_late(desk: Desk) -> None:
    asked(desk)
    later(desk, 61, work=False)
    desk.office.says("sam", "r Dana has it")
    with transaction(desk.context.engine) as session:
        call = call_timers.due(session)
        assert call
        call_timers.move(session, call)
        call_reports.tell_end(session, call)
        other = threading.Thread(target=desk.office.read)
        other.start()
        other.join(0.5)
        assert other.is_alive()
    other.join(20)
    assert answers(desk) == {"sam": ("Dana has it", True, False)}
    desk.work()
    assert any("nobody of 3 has answered" in one for one in desk.heard("kim"))
    desk.clean()


def test_after_a_restore_the_summary_waits_for_the_operator(desk: Desk) -> None:
    asked(desk)
    desk.says("sam", "r Dana has it")
    with transaction(desk.office.engine) as session:
        restore_hold.hold(session)
    forget(desk)
    later(desk, 120)
    assert not desk.heard("kim")
    assert desk.office.critter("restore", "--release", "--yes").exit_code == 0
    desk.office.sql("UPDATE calls SET ends_at = now()")
    desk.work()
    assert any("Dana has it" in one for one in desk.heard("kim"))


@pytest.mark.parametrize("handle", ["sam", "dana"])
def test_an_erased_person_leaves_no_answer_and_no_name(desk: Desk, handle: str) -> None:
    asked(desk)
    desk.says("sam", "r @dana has it")
    with transaction(desk.office.engine) as session:
        person = accounts.by_handle(session, handle)
        assert person
        erase.erase(session, person, "tests")
    kept = [str(row[0]) for row in desk.office.sql("SELECT text FROM call_people WHERE text IS NOT NULL")]
    assert not [words for words in kept if "dana" in words.casefold()]
    assert len(kept) == (0 if handle == "sam" else 1)
    later(desk, 61)
    desk.clean()
