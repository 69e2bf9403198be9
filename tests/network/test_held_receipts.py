"""What authors hear about readers for whom their update waits: it comes to them later, so it has neither arrived nor
failed."""

from gateway.network.receipts import author_reports
from gateway.store.database import transaction
from gateway.store.tables import Telling
from tests.support.desk import SLEEP, Desk, asleep

WORDS = "starting the ACME proposal"
MINUTES = "UPDATE held SET until = now() WHERE state = 'waiting'"


def asked(desk: Desk, words: str = "who got") -> str:
    desk.heard("kim")
    desk.says("kim", words)
    return desk.heard("kim")[-1]


def test_who_is_asleep_gets_it_later(desk: Desk) -> None:
    asleep(desk, WORDS)
    assert asked(desk) == '"starting the ACME...": 1 got it, 1 later.'
    assert asked(desk, "who got sam") == '"starting the ACME...": Sam Ortiz gets it later.'
    assert "got it by mail" in asked(desk, "who got priya")


def test_it_is_said_in_spanish_too(desk: Desk) -> None:
    desk.office.sql("UPDATE accounts SET language = 'es' WHERE handle = 'kim'")
    asleep(desk, WORDS)
    assert "1 más tarde." in asked(desk)
    assert asked(desk, "who got sam") == '"starting the ACME...": a Sam Ortiz le llega más tarde.'


def test_what_waits_for_an_end_of_off_is_later_too(desk: Desk) -> None:
    desk.says("sam", "off 8h")
    desk.says("kim", WORDS)
    assert asked(desk) == '"starting the ACME...": 1 got it, 1 later.'
    desk.says("sam", "on")
    assert asked(desk) == '"starting the ACME...": 2 got it (1 by text, 1 by mail).'


def test_what_a_digest_brought_was_got(desk: Desk) -> None:
    asleep(desk, "first thing", WORDS)
    desk.says("sam", "quiet off")
    assert asked(desk) == '"starting the ACME...": 2 got it (1 by text, 1 by mail).'
    assert asked(desk, "who got sam") == '"starting the ACME...": Sam Ortiz got it by text.'


def test_who_opted_out_meanwhile_has_missed_it(desk: Desk) -> None:
    asleep(desk, WORDS)
    desk.says("sam", "stop")
    desk.office.sql(MINUTES)
    desk.send()
    said = asked(desk)
    assert said.startswith('"starting the ACME...": 1 got it. Missed: Sam Ortiz (opted out')
    assert "later" not in said


def test_an_undo_in_time_says_that_nobody_got_it(desk: Desk) -> None:
    desk.office.sql("DELETE FROM follows WHERE follower_id = (SELECT id FROM accounts WHERE handle = 'priya')")
    asleep(desk, WORDS)
    assert asked(desk, "undo") == "Your post is taken back. Nobody got it."
    desk.says("sam", "quiet off")
    assert len(desk.heard("sam")) == 1
    assert desk.states() == [("cancelled", "quiet", "retracted")]


def test_an_undo_counts_who_has_it_in_a_digest_that_is_leaving(desk: Desk) -> None:
    desk.office.sql("DELETE FROM follows WHERE follower_id = (SELECT id FROM accounts WHERE handle = 'priya')")
    asleep(desk, "first thing", WORDS)
    folded(desk)
    desk.office.sql("UPDATE deliveries SET state = 'sending', lease_until = now() + interval '1 hour'" + OF_DIGESTS)
    desk.office.says("kim", "undo")
    desk.office.read()
    answer = desk.office.sql("SELECT text FROM messages WHERE kind = 'answer' ORDER BY id DESC LIMIT 1")[0][0]
    assert "1 had gone out" in str(answer)


def test_an_undo_takes_it_out_of_a_digest_that_waits(desk: Desk) -> None:
    desk.office.sql("DELETE FROM follows WHERE follower_id = (SELECT id FROM accounts WHERE handle = 'priya')")
    asleep(desk, "first thing", WORDS)
    folded(desk)
    desk.office.says("kim", "undo")
    desk.office.read()
    answer = desk.office.sql("SELECT text FROM messages WHERE kind = 'answer' ORDER BY id DESC LIMIT 1")[0][0]
    assert answer == "Your post is taken back. Nobody got it."
    desk.send()
    assert not any("ACME" in words for words in desk.heard("sam"))


OF_DIGESTS = " WHERE message_id IN (SELECT message_id FROM digests)"


def folded(desk: Desk) -> None:
    """Quiet hours are over and a digest was made, which no worker has taken yet."""
    desk.office.sql("UPDATE addresses SET quiet = NULL, quiet_since = NULL")
    desk.office.sql(MINUTES)
    desk.fold()
    assert [row[0] for row in desk.states()] == ["folded"] * 2


def test_the_report_an_hour_later_says_it(desk: Desk) -> None:
    desk.says("bob", SLEEP)
    desk.says("dana", "#dispatch dock 4 is free")
    desk.office.sql("INSERT INTO tellings (post_id, kind, due_at) SELECT id, 'counts', now() FROM posts")
    with transaction(desk.office.engine) as session:
        for telling in session.query(Telling).all():
            author_reports.tell(session, telling)
    [(words,)] = desk.office.sql("SELECT text FROM messages WHERE kind = 'notice'")
    assert words == 'After an hour, "dock 4 is free": 0 got it, 1 later.'
    [(body,)] = desk.office.sql("SELECT body FROM messages WHERE kind = 'notice'")
    assert "By text: 0 arrived, 0 taken by the carrier, 0 waiting, 1 later, 0 on the web, 0 failed, 0 opted out" in str(
        body
    )
