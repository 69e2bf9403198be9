"""The numbers of a digest that came by text: each stands for the update that it stood beside, whatever came between."""

import pytest

from tests.support.desk import Desk, asleep

WHICH = "Which one do you answer?"


def gets(desk: Desk, *words: str) -> str:
    """Sam gets these of Kim's in one digest."""
    desk.says("sam", "digest kim")
    for each in words:
        desk.says("kim", each)
    desk.heard("sam")
    desk.says("sam", "digest now")
    return desk.heard("sam")[-1]


def answer(desk: Desk, words: str) -> str:
    desk.says("sam", words)
    return "\n".join(desk.heard("sam"))


def posts(desk: Desk) -> int:
    return len(desk.office.sql("SELECT FROM posts"))


@pytest.mark.parametrize("digit", ["1", "01", "1.", "#1", "(1)", "1!"])
def test_every_number_works_and_again(desk: Desk, digit: str) -> None:
    gets(desk, "first thing", "second thing")
    assert answer(desk, "2") == "Kim Lee: first thing"
    assert answer(desk, digit) == "Kim Lee: second thing"
    assert answer(desk, "2") == "Kim Lee: first thing"
    assert answer(desk, "3") == "The last digest has 2 updates: reply with a number up to that."
    assert answer(desk, "0").startswith("The last digest has 2 updates")


def test_the_number_of_a_single_update_works(desk: Desk) -> None:
    assert "A digit gives it whole." in gets(desk, "first thing")
    assert answer(desk, "1") == "Kim Lee: first thing"
    assert answer(desk, "2") == "The last digest has 1 update: reply with a number up to that."
    answer(desk, "r ok")
    assert desk.heard("kim")[-1] == "Sam Ortiz: ok"


def test_numbers_stay_when_one_is_taken_back(desk: Desk) -> None:
    gets(desk, "first thing", "second thing", "third thing")
    desk.says("kim", "undo")
    assert "gone" in answer(desk, "1")
    assert answer(desk, "2") == "Kim Lee: second thing"
    assert answer(desk, "3") == "Kim Lee: first thing"


def test_numbers_stay_when_something_else_comes(desk: Desk) -> None:
    gets(desk, "first thing", "second thing")
    desk.says("bob", "#sales at once")
    desk.heard("sam")
    assert answer(desk, "2") == "Kim Lee: first thing"
    answer(desk, "r ok")
    assert desk.heard("kim")[-1] == "Sam Ortiz: ok"


def test_a_long_one_keeps_what_was_private_in_it_guarded(desk: Desk) -> None:
    asleep(desk, "d sam the code of the safe is in the drawer", *(f"thing number {each}" for each in range(32)))
    desk.says("sam", "quiet off")
    assert "1 Kim Lee (private)" in desk.heard("sam")[-1]
    before = posts(desk)
    assert answer(desk, "thanks I found it").startswith(WHICH)
    assert posts(desk) == before
    answer(desk, "DROP")
    assert answer(desk, "33") == "Kim Lee: thing number 0"
    assert answer(desk, "1") == "Kim Lee (private): the code of the safe is in the drawer"
    answer(desk, "r thanks")
    assert desk.heard("kim")[-1].startswith("Sam Ortiz (private): thanks")


def test_what_was_written_long_before_its_digest_is_what_r_answers(desk: Desk) -> None:
    desk.says("sam", "digest kim")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    for each in range(31):
        desk.says("bob", f"#sales number {each}")
    desk.says("sam", "digest now")
    desk.heard("sam")
    assert answer(desk, "r hello").startswith(WHICH)
    answer(desk, "DROP")
    assert answer(desk, "2") == "Kim Lee: first thing"
    answer(desk, "r hello")
    assert desk.heard("kim")[-1] == "Sam Ortiz: hello"


@pytest.mark.parametrize("words", ["2 I can help", "2: I can help", "#2 I can help", "2. yes"])
def test_words_after_a_number_are_asked_about(desk: Desk, words: str) -> None:
    gets(desk, "first thing", "second thing")
    before = posts(desk)
    assert answer(desk, words).startswith(WHICH)
    answer(desk, "DROP")
    answer(desk, "1")
    assert answer(desk, words).startswith(WHICH)
    assert posts(desk) == before
    answer(desk, "DROP")
    answer(desk, "7 of us are here")
    assert posts(desk) == before + 1


@pytest.mark.parametrize("before", [True, False])
def test_what_was_for_the_mailbox_and_came_by_text_is_answered_there(desk: Desk, before: bool) -> None:
    """Not whoever wrote to this phone before; and nobody need have."""
    if before:
        desk.says("bob", "#sales a word from bob")
    desk.says("pat", "follow kim")
    desk.says("pat", "digest kim")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    [[mailbox]] = desk.office.sql(
        "SELECT id FROM addresses WHERE channel = 'email' AND account_id = (SELECT account_id FROM held LIMIT 1)"
    )
    desk.office.sql("UPDATE deliveries SET address_id = :to, channel = 'email' WHERE state = 'held'", to=mailbox)
    desk.office.sql("UPDATE held SET address_id = :to", to=mailbox)
    desk.office.sql("UPDATE addresses SET receiving = false WHERE id = :of", of=mailbox)
    desk.says("pat", "digest now")
    assert "2 Kim Lee: first thing" in desk.heard("pat")[-1]
    desk.says("pat", "r hello")
    assert desk.heard("pat")[0].startswith(WHICH)
    desk.says("pat", "DROP")
    desk.says("pat", "2")
    assert desk.heard("pat")[-1] == "Kim Lee: first thing"
    desk.says("pat", "r hello")
    assert desk.heard("kim")[-1] == "Pat Quinn: hello"


def test_a_number_tells_who_wrote_what_a_repeat_passes_on(desk: Desk) -> None:
    desk.says("sam", "digest kim")
    desk.says("kim", "follow bob")
    desk.says("bob", "the pump is back")
    desk.says("kim", "rt")
    desk.heard("sam")
    desk.says("sam", "digest now")
    shown = desk.heard("sam")[-1]
    assert "1 Kim Lee rt Bob Reyes: the pump is back" in shown
    assert answer(desk, "1") == "Kim Lee rt Bob Reyes: the pump is back"


def test_a_number_gives_the_link_to_the_pictures_of_an_update(desk: Desk) -> None:
    gets(desk, "look at this")
    desk.office.sql("UPDATE posts SET attached = '2 photos'")
    words, _, link = answer(desk, "1").partition(" (2 photos) ")
    assert words == "Kim Lee: look at this"
    assert "/m/" in link
