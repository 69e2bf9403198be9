"""`why` about what waited for its reader: it says what it waited for, and the word that ends that."""

from tests.support.desk import Desk, asleep

WAITED = "It waited for your quiet hours to end; QUIET OFF ends them."


def asked(desk: Desk) -> str:
    desk.heard("sam")
    desk.says("sam", "why")
    return desk.heard("sam")[-1]


def test_one_that_waited_for_quiet_hours_says_so(desk: Desk) -> None:
    asleep(desk, "starting the ACME proposal")
    desk.says("sam", "quiet off")
    said = asked(desk)
    assert said.startswith(
        "It waited for your quiet hours to end; QUIET OFF ends them. You have followed Kim Lee since "
    )
    assert said.endswith(" To stop: LEAVE KIM")
    assert len(said) <= 160
    desk.says("kim", "another")
    assert "waited" not in asked(desk)


def test_a_private_one_says_both_too(desk: Desk) -> None:
    asleep(desk, "d sam can you open at six")
    desk.says("sam", "quiet off")
    said = asked(desk)
    assert said.startswith(
        "It waited for your quiet hours to end; QUIET OFF ends them. Kim Lee sent it privately to you."
    )


def test_one_that_waited_for_an_end_of_off_says_so(desk: Desk) -> None:
    desk.says("sam", "off 8h")
    desk.says("kim", "starting the ACME proposal")
    desk.says("sam", "on")
    assert asked(desk).startswith("It waited while your texts were off. You have followed Kim Lee since ")


def test_after_a_digest_it_is_about_the_digest(desk: Desk) -> None:
    asleep(desk, "first thing", "second thing", "d sam can you open at six")
    desk.says("sam", "quiet off")
    assert asked(desk) == "3 updates that came in your quiet hours. To end them: QUIET OFF"
    desk.says("sam", "3")
    assert "You have followed Kim Lee since " in asked(desk)
    desk.says("kim", "lunch at one")
    assert "waited" not in asked(desk)


def test_after_a_digest_of_an_off_it_says_that(desk: Desk) -> None:
    desk.says("sam", "off 8h")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    desk.says("sam", "on")
    assert asked(desk) == "2 updates that came while your texts were off."


def test_what_came_behind_others_does_not_change_what_they_waited_for(desk: Desk) -> None:
    desk.says("sam", "off 8h")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    desk.office.sql("UPDATE held SET reason = 'behind' WHERE message_id = (SELECT max(message_id) FROM held)")
    desk.says("sam", "on")
    assert any(words.startswith("While it was off, 2 updates came:") for words in desk.heard("sam"))
    assert asked(desk) == "2 updates that came while your texts were off."


def test_it_counts_what_was_in_the_digest_when_it_left(desk: Desk) -> None:
    asleep(desk, "first thing", "second thing", "third thing")
    desk.says("kim", "undo")
    desk.says("sam", "quiet off")
    assert asked(desk) == "2 updates that came in your quiet hours. To end them: QUIET OFF"


def test_it_is_about_the_digest_before_its_items_have_followed_it(desk: Desk) -> None:
    """The carrier has taken the digest, and the worker that marks its items has not looked yet."""
    desk.says("kim", "long ago")
    asleep(desk, "first thing", "second thing")
    desk.says("sam", "quiet off")
    desk.office.sql("UPDATE deliveries SET state = 'held', reason = NULL, sent_at = NULL WHERE reason = 'digest'")
    desk.office.says("sam", "why")
    desk.office.read()
    [(words,)] = desk.office.sql("SELECT text FROM messages WHERE kind = 'answer' ORDER BY id DESC LIMIT 1")
    assert words == "2 updates that came in your quiet hours. To end them: QUIET OFF"


def test_it_is_said_in_spanish(desk: Desk) -> None:
    desk.office.sql("UPDATE accounts SET language = 'es' WHERE handle = 'sam'")
    asleep(desk, "first thing", "second thing")
    desk.says("sam", "quiet off")
    assert asked(desk) == "2 mensajes que llegaron en tus horas de silencio. Para terminarlas: QUIET OFF"
