"""`limit 20`: updates beyond the texts of a day wait for the digest, and what was written to the reader comes. The real
workers and statements."""

from gateway.carriers.common.protocol import Outcome
from tests.support.desk import Desk, asleep


def due(desk: Desk) -> None:
    """The moment of the next digest has come."""
    desk.office.sql("UPDATE held SET until = now()")
    desk.send()


def reasons(desk: Desk) -> list[tuple[object, ...]]:
    return [tuple(row) for row in desk.office.sql("SELECT reason, state FROM held ORDER BY message_id")]


def counted(desk: Desk) -> list[tuple[object, ...]]:
    rows = desk.office.sql("SELECT used, allowed FROM budgets WHERE scope = 'reader' ORDER BY day, subject")
    return [tuple(row) for row in rows]


def limited(desk: Desk, most: int) -> None:
    """Sam, of whom nothing has been counted today but the answer to this."""
    desk.says("sam", f"limit {most + 1}")
    desk.heard("sam")
    desk.office.sql("UPDATE budgets SET used = 1 WHERE scope = 'reader'")


def test_updates_beyond_the_limit_wait_and_what_is_for_the_reader_comes(desk: Desk) -> None:
    limited(desk, 2)
    for each in ("one", "two", "three", "four"):
        desk.says("kim", each)
    desk.says("kim", "d sam can you open at six")
    desk.says("kim", "hello @sam again")
    desk.says("sam", "whois kim")
    heard = desk.heard("sam")
    assert [each.split(" (")[0] for each in heard[:2]] == ["Kim Lee: one", "Kim Lee: two"]
    assert "can you open at six" in heard[2]
    assert "hello @sam again" in heard[3]
    assert len(heard) == 5
    assert reasons(desk) == [("over", "waiting")] * 2
    assert counted(desk) == [(6, 3)]
    desk.clean()
    due(desk)
    [digest] = desk.heard("sam")
    assert digest.startswith("Over your texts of a day, 2 updates:")
    assert "three" in digest
    assert "four" in digest
    assert reasons(desk) == [("over", "sent")] * 2
    desk.clean()


def test_ending_the_limit_brings_what_waits_and_undo_sets_it_again(desk: Desk) -> None:
    limited(desk, 1)
    for each in ("one", "two", "three"):
        desk.says("kim", each)
    desk.heard("sam")
    desk.says("sam", "limit off")
    answer, digest = desk.heard("sam")
    assert answer == "Your texts have no limit. 2 updates waited and come now."
    assert digest.startswith("Over your texts of a day, 2 updates:")
    desk.says("sam", "undo")
    assert desk.heard("sam") == ["At most 2 texts a day."]
    desk.says("kim", "four")
    assert desk.heard("sam") == []
    desk.says("sam", "limit")
    [shown] = desk.heard("sam")
    assert shown.startswith("At most 2 texts a day. ")
    assert "1 update waits for your digest, every day at 08:00, by text." in shown
    desk.clean()


def test_a_higher_limit_brings_what_waits_and_a_lower_one_does_not(desk: Desk) -> None:
    limited(desk, 2)
    for each in ("one", "two", "three"):
        desk.says("kim", each)
    desk.heard("sam")
    desk.says("sam", "limit 2")
    [answer] = desk.heard("sam")
    assert answer.startswith("At most 2 texts a day. Then updates wait")
    desk.says("sam", "limit 30")
    answer, digest = desk.heard("sam")
    assert answer == "At most 30 texts a day. 1 update waited and comes now. To end it: LIMIT OFF"
    assert "three" in digest
    desk.clean()


def test_undo_of_a_first_limit_brings_what_waits(desk: Desk) -> None:
    desk.says("sam", "limit 1")
    desk.says("kim", "one")
    desk.heard("sam")
    assert reasons(desk) == [("over", "waiting")]
    desk.says("sam", "undo")
    answer, digest = desk.heard("sam")
    assert answer == "Your texts have no limit."
    assert "one" in digest
    desk.says("sam", "undo")
    assert "already" in desk.heard("sam")[0]


def test_what_came_before_there_was_a_limit_counts(desk: Desk) -> None:
    for each in ("one", "two", "three"):
        desk.says("kim", each)
    desk.says("sam", "limit 3")
    desk.heard("sam")
    desk.says("kim", "four")
    assert desk.heard("sam") == []
    desk.says("sam", "limit")
    assert "4 came today." in desk.heard("sam")[0]


def test_yesterdays_texts_do_not_count_today(desk: Desk) -> None:
    limited(desk, 1)
    desk.says("kim", "one")
    desk.says("kim", "two")
    assert len(desk.heard("sam")) == 1
    desk.office.sql("UPDATE budgets SET day = day - 1 WHERE scope = 'reader'")
    desk.says("kim", "three")
    assert desk.heard("sam") == ["Kim Lee: three (k1)"]


def test_the_digest_goes_to_the_mailbox_and_says_why(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    desk.says("pat", "limit 1")
    desk.heard("pat")
    for each in ("one", "two"):
        desk.says("kim", each)
    assert desk.heard("pat") == []
    due(desk)
    assert desk.heard("pat") == []
    [mail] = desk.mailed("pat")
    assert "Over your texts of a day, 2 updates:" in mail
    assert "it was over your texts of a day" in mail.replace("=\n", "")
    desk.says("pat", "digest")
    assert desk.heard("pat")[0].startswith("You have no digest.")


def test_who_has_a_digest_gets_them_in_it(desk: Desk) -> None:
    desk.says("sam", "digest monday 9am")
    desk.says("sam", "digest pat")
    desk.says("sam", "follow bob")
    limited(desk, 0)
    desk.says("kim", "over the limit")
    desk.heard("sam")
    desk.says("sam", "digest")
    assert "every Monday at 09:00, by text. 1 update waits." in desk.heard("sam")[0]
    desk.says("sam", "digest now")
    answer, digest = desk.heard("sam")
    assert answer == "Your digest of 1 update comes now."
    assert "over the limit" in digest


def test_a_mailbox_that_does_not_take_the_digest_ends_nothing(desk: Desk) -> None:
    """It comes by text instead, as one text, though the day is full."""
    desk.says("pat", "follow kim")
    desk.says("pat", "limit 1")
    desk.heard("pat")
    for each in ("one", "two", "three"):
        desk.says("kim", each)
    desk.mails.answers = lambda _: Outcome("failed", reason="550 5.2.2")
    due(desk)
    [digest] = desk.heard("pat")
    assert digest.startswith("Over your texts of a day, 3 updates:")
    assert reasons(desk) == [("over", "sent")] * 3
    desk.clean()


def test_what_no_digest_could_bring_comes_one_by_one_and_is_not_held_again(desk: Desk) -> None:
    limited(desk, 1)
    for each in ("one", "two", "three"):
        desk.says("kim", each)
    desk.heard("sam")
    desk.texts.answers = lambda text: (
        Outcome("failed", reason="30007") if "Over your texts" in text.body else desk.texts.accept(text)
    )
    due(desk)
    heard = [each for each in desk.heard("sam") if not each.startswith("Over")]
    assert [each.split(" (")[0] for each in heard] == ["Kim Lee: two", "Kim Lee: three"]
    desk.clean()


def test_why_says_that_it_was_over_the_limit(desk: Desk) -> None:
    limited(desk, 0)
    desk.says("kim", "one")
    desk.says("kim", "two")
    due(desk)
    desk.heard("sam")
    desk.says("sam", "why")
    assert desk.heard("sam") == ["2 updates over your texts of a day. To end the limit: LIMIT OFF"]
    desk.says("sam", "1")
    desk.heard("sam")
    desk.says("sam", "why")
    [answer] = desk.heard("sam")
    assert answer.startswith("It came over your 1 text a day, so it waited for the digest. LIMIT OFF stops that. ")
    assert "You have followed Kim Lee since" in answer


def test_the_author_hears_that_it_comes_later(desk: Desk) -> None:
    limited(desk, 0)
    desk.says("kim", "one")
    desk.heard("kim")
    desk.says("kim", "who got")
    assert "1 later" in desk.heard("kim")[0]
    desk.says("kim", "who got sam")
    assert desk.heard("kim") == ['"one": Sam Ortiz gets it later.']


def test_what_is_taken_back_is_in_no_digest(desk: Desk) -> None:
    limited(desk, 0)
    desk.says("kim", "one")
    desk.says("kim", "undo")
    due(desk)
    assert desk.heard("sam") == []
    assert reasons(desk) == [("over", "cancelled")]
    desk.clean()


def test_quiet_hours_come_first_and_their_digest_passes(desk: Desk) -> None:
    limited(desk, 0)
    asleep(desk, "one", "two")
    desk.says("sam", "quiet off")
    _, digest = desk.heard("sam")
    assert digest.startswith("While you were quiet, 2 updates came:")


def test_what_is_no_number_of_texts_is_refused_with_the_way(desk: Desk) -> None:
    for each in ("limit 0", "limit 501", "limit 99999"):
        desk.says("sam", each)
        assert desk.heard("sam") == ["Write a number of texts a day, from 1 to 500: LIMIT 20. Or: LIMIT OFF"]
    desk.says("sam", "limit")
    assert desk.heard("sam") == ["Your texts have no limit. To get at most 20 texts a day: LIMIT 20"]
    desk.says("sam", "limit off")
    assert desk.heard("sam") == ["Your texts have no limit. To get at most 20 texts a day: LIMIT 20"]


def test_mails_have_no_limit(desk: Desk) -> None:
    desk.says("pat", "limit 1")
    desk.office.sql("UPDATE follows SET by_text = false")
    desk.office.sql(
        "INSERT INTO follows (follower_id, account_id) SELECT p.id, k.id FROM accounts p, accounts k"
        " WHERE p.handle = 'pat' AND k.handle = 'kim' ON CONFLICT DO NOTHING"
    )
    desk.says("kim", "one")
    desk.says("kim", "two")
    assert len(desk.mailed("pat")) == 2
    assert reasons(desk) == []
