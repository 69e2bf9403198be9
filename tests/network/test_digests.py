"""Follows that come in a digest: when, where, what is in it, and how it ends. The real workers and statements."""

from email import message_from_string, policy

from gateway.network.mail import mailing_lists, unsubscribe
from gateway.network.people import accounts, addresses
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from tests.support.desk import Desk


def waiting(desk: Desk) -> list[tuple[object, ...]]:
    return [
        tuple(row) for row in desk.office.sql("SELECT reason, state, slot IS NOT NULL FROM held ORDER BY message_id")
    ]


def due(desk: Desk) -> None:
    """The moment of the next digest has come."""
    desk.office.sql("UPDATE held SET until = now()")
    desk.send()


def test_a_follow_comes_in_the_digest_and_the_others_at_once(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    desk.heard("pat")
    desk.says("pat", "digest kim")
    [answer] = desk.heard("pat")
    assert answer.startswith("Kim Lee comes in your digest now: every day at 08:00, by mail.")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    desk.says("bob", "#sales at once")
    assert [each.split(":")[0] for each in desk.heard("pat")] == ["Bob Reyes #sales"]
    assert waiting(desk) == [("digest", "waiting", True)] * 2
    due(desk)
    assert desk.heard("pat") == []
    [mail] = desk.mailed("pat")
    assert "Your digest, 2 updates:" in mail
    assert "1. Kim Lee (@kim): second thing" in mail
    assert "2. Kim Lee (@kim): first thing" in mail
    assert waiting(desk) == [("digest", "sent", True)] * 2
    desk.clean()


def test_who_has_no_mailbox_gets_it_by_text_even_of_one_item(desk: Desk) -> None:
    desk.says("sam", "digest kim")
    assert "by text" in desk.heard("sam")[0]
    desk.says("kim", "first thing")
    assert desk.heard("sam") == []
    due(desk)
    [digest] = desk.heard("sam")
    assert digest.startswith("Your digest, 1 update:")
    assert "1 Kim Lee: first thing" in digest


def test_what_came_by_mail_is_not_what_the_phone_answers(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    desk.says("pat", "digest kim")
    desk.says("kim", "first thing")
    due(desk)
    desk.heard("pat")
    desk.says("pat", "r yes")
    assert "nothing to reply to yet" in desk.heard("pat")[0]


def test_now_brings_it_at_once_and_following_again_ends_it(desk: Desk) -> None:
    desk.says("sam", "digest kim")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    desk.heard("sam")
    desk.says("sam", "digest")
    assert "2 updates wait." in desk.heard("sam")[0]
    desk.says("sam", "digest now")
    answer, digest = desk.heard("sam")
    assert answer == "Your digest of 2 updates comes now."
    assert digest.startswith("Your digest, 2 updates:")
    desk.says("sam", "digest now")
    assert desk.heard("sam") == ["Nothing waits for your digest."]
    desk.says("sam", "follow kim")
    desk.heard("sam")
    desk.says("kim", "third thing")
    assert desk.heard("sam")[0].startswith("Kim Lee: third thing")
    desk.clean()


def test_it_begins_with_those_whom_its_reader_answers_and_with_small_groups(desk: Desk) -> None:
    desk.says("kim", "who brings the keys?")
    desk.says("sam", "r I do")
    for words in (
        "follow bob",
        "follow sales",
        "follow acme",
        "digest kim",
        "digest bob",
        "digest sales",
        "digest acme",
    ):
        desk.says("sam", words)
    desk.office.sql(
        "INSERT INTO follows (follower_id, account_id, role) SELECT p.id, g.id, 'member' FROM accounts p, accounts g"
        " WHERE p.kind = 'person' AND g.handle = 'sales' ON CONFLICT DO NOTHING"
    )
    desk.says("kim", "#acme of the small group")
    desk.says("kim", "the first of kim")
    desk.says("pat", "#sales of the large group")
    desk.says("bob", "the last of all")
    desk.heard("sam")
    desk.says("sam", "digest now")
    lines = desk.heard("sam")[-1].splitlines()[1:-1]
    assert [line.partition(": ")[2] for line in lines] == [
        "the first of kim",
        "of the small group",
        "the last of all",
        "of the large group",
    ]


def test_there_is_one_digest_for_a_date(desk: Desk) -> None:
    """Also when its time is changed to a later one after it has come."""
    desk.says("sam", "digest kim")
    desk.says("kim", "first thing")
    due(desk)
    assert len(desk.heard("sam")) == 2
    desk.says("kim", "second thing")
    [first, second] = desk.office.sql("SELECT slot, until FROM held ORDER BY message_id")
    assert second[0] > first[0]  # type: ignore[operator]


def test_ending_it_brings_what_waits_and_undo_restores_all(desk: Desk) -> None:
    desk.says("sam", "digest monday 9am")
    assert desk.heard("sam")[0].startswith("Your digest comes every Monday at 09:00, by text.")
    desk.says("sam", "digest kim")
    desk.says("kim", "first thing")
    desk.heard("sam")
    desk.says("sam", "digest off")
    answer, digest = desk.heard("sam")
    assert answer == "Digests are off: 1 follow comes one by one again. 1 update waited and comes now."
    assert digest.startswith("Your digest, 1 update:")
    desk.says("sam", "undo")
    assert desk.heard("sam") == ["Your digest comes every Monday at 09:00 again."]
    desk.says("kim", "second thing")
    assert desk.heard("sam") == []
    assert waiting(desk)[-1] == ("digest", "waiting", True)


def test_what_may_no_longer_be_read_is_not_in_it(desk: Desk) -> None:
    desk.says("sam", "digest kim")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    desk.heard("sam")
    desk.says("kim", "undo")
    due(desk)
    [digest] = desk.heard("sam")
    assert "second thing" not in digest
    desk.says("kim", "third thing")
    desk.says("sam", "leave kim")
    desk.heard("sam")
    due(desk)
    assert desk.heard("sam") == []
    assert desk.office.sql("SELECT why FROM held WHERE why = 'left'")
    desk.clean()


def test_undo_of_the_first_follow_in_a_digest_ends_the_digest(desk: Desk) -> None:
    desk.says("sam", "digest kim")
    desk.says("kim", "first thing")
    desk.heard("sam")
    desk.says("sam", "undo")
    [answer, digest] = desk.heard("sam")
    assert answer == "Kim Lee comes one by one again."
    assert digest.startswith("Your digest, 1 update:")
    desk.says("sam", "digest")
    assert desk.heard("sam")[0].startswith("You have no digest.")


def test_undo_of_a_follow_in_a_digest_that_was_there_keeps_it(desk: Desk) -> None:
    desk.says("sam", "digest monday 9am")
    desk.says("sam", "digest kim")
    desk.says("sam", "undo")
    desk.says("sam", "digest")
    assert desk.heard("sam")[-1].startswith("Your digest comes every Monday at 09:00")


def test_what_was_for_the_phone_may_be_in_the_digest_of_the_mailbox(desk: Desk) -> None:
    """The audit finds nothing wrong with that, also while the digest has not left."""
    desk.says("pat", "follow kim")
    desk.says("pat", "digest kim")
    desk.says("kim", "first thing")
    desk.office.sql("UPDATE held SET until = now()")
    desk.fold()
    [[apart]] = desk.office.sql(
        "SELECT h.address_id <> g.address_id FROM held h JOIN digests g ON h.digest_id = g.message_id"
    )
    assert (apart, [state for state, _, _ in desk.states()]) == (True, ["folded"])
    desk.clean()


def test_what_waits_for_a_digest_is_no_matter_of_quiet_hours(desk: Desk) -> None:
    desk.says("sam", "digest kim")
    desk.says("kim", "first thing")
    desk.says("sam", "quiet 22-7")
    desk.heard("sam")
    desk.says("sam", "quiet")
    assert "wait" not in desk.heard("sam")[0]
    desk.says("sam", "digest")
    assert "1 update waits." in desk.heard("sam")[0]


def unsubscribes(desk: Desk) -> tuple[int, int]:
    """What the last mail to Pat says that one click ends: the source, and the mailbox."""
    mail = message_from_string(desk.mailed("pat")[-1], policy=policy.default)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = str(mail["List-Unsubscribe"]).partition("mailto:u+")[2].partition("@")[0]
    assert f"/u/{token}" in mail.get_body(("plain",)).get_content().replace("\n", "")
    ids = Signer(desk.office.settings.secret_keys).read("unsubscribe", token)
    assert ids is not None
    return ids[0], ids[1]


def test_its_mail_ends_with_one_click(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    desk.says("pat", "digest kim")
    desk.says("kim", "first thing")
    due(desk)
    source, mailbox = unsubscribes(desk)
    assert source == mailing_lists.NUMBERS["digest"]
    assert "You get this because you asked for a digest. Stop:" in desk.mailed("pat")[-1]
    desk.says("kim", "second thing")
    with transaction(desk.office.engine) as session:
        ending = unsubscribe.pair(session, source, mailbox)
        assert ending is not None
        unsubscribe.end(session, ending)
    before = len(desk.mailed("pat"))
    due(desk)
    desk.heard("pat")
    assert (len(desk.mailed("pat")), desk.states()[-1]) == (before, ("cancelled", "digest", "off"))
    desk.says("pat", "digest")
    assert "To put a follow into it: DIGEST NAME" in desk.heard("pat")[0]
    desk.clean()


def test_a_mail_of_what_waited_ends_with_one_click_too(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    desk.office.sql("UPDATE follows SET by_text = false, way = NULL")
    desk.office.sql(
        "UPDATE addresses SET quiet = 'mo,tu,we,th,fr,sa,su 00:00-23:59', quiet_since = now() WHERE channel = 'email'"
    )
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    desk.office.sql("UPDATE addresses SET quiet = NULL, quiet_since = NULL")
    due(desk)
    assert "You get this in one mail because it waited for you." in desk.mailed("pat")[-1]
    assert unsubscribes(desk)[0] == mailing_lists.NUMBERS["mails"]


def test_what_is_off_and_put_into_a_digest_is_on_again(desk: Desk) -> None:
    desk.says("sam", "off kim")
    desk.says("sam", "digest kim")
    desk.heard("sam")
    desk.says("kim", "first thing")
    assert waiting(desk) == [("digest", "waiting", True)]
    desk.says("sam", "undo")
    desk.heard("sam")
    assert [tuple(row) for row in desk.office.sql("SELECT off, way FROM follows WHERE off")] == [(True, None)]
    due(desk)
    assert desk.heard("sam") == []


def click(desk: Desk, handle: str) -> tuple[unsubscribe.Pair, str]:
    """Ends somebody's digest by its link; what the page needs to bring it back."""
    signer = Signer(desk.office.settings.secret_keys)
    with transaction(desk.office.engine) as session:
        account = accounts.by_handle(session, handle)
        assert account
        address = addresses.primary(session, account.id, "email") or addresses.primary(session, account.id, "sms")
        assert address
        ending = unsubscribe.pair(session, mailing_lists.NUMBERS["digest"], address.id)
        assert ending
        done = unsubscribe.end(session, ending)
        return ending, unsubscribe.way_back(signer, ending, done)


def back(desk: Desk, ending: unsubscribe.Pair, token: str) -> bool:
    with transaction(desk.office.engine) as session:
        return unsubscribe.again(session, Signer(desk.office.settings.secret_keys), ending, token)


WAYS_LEFT = """
    SELECT (SELECT way FROM topic_follows), (SELECT way FROM trackers), tag, mention, "group" FROM attention
"""


def test_one_click_ends_tags_phrases_and_causes_and_brings_them_back(desk: Desk) -> None:
    """What is written to its reader comes one by one then: nobody loses that by a click."""
    for words in ("follow #win", 'track "acme deal"', "digest #win", 'digest "acme deal"',
                  "prefer digest for mentions", "prefer digest for groups"):  # fmt: skip
        desk.says("bob", words)
    assert desk.office.sql(WAYS_LEFT) == [("digest", "digest", None, "digest", "digest")]
    ending, token = click(desk, "bob")
    assert desk.office.sql(WAYS_LEFT) == [("nothing", "nothing", None, None, "nothing")]
    desk.heard("bob")
    desk.says("kim", "the ACME deal is ours #win")
    assert desk.heard("bob") == []
    desk.says("kim", "@bob come and see")
    assert desk.heard("bob") == ["Kim Lee: @bob come and see"]
    desk.says("bob", "prefer mail for groups")  # refused: there is no mailbox
    desk.says("bob", "prefer usual for groups")
    assert back(desk, ending, token)
    assert desk.office.sql(WAYS_LEFT) == [("digest", "digest", None, "digest", None)], "what was chosen since stays"
    assert click(desk, "sam")[1] == ""
    desk.clean()


def test_a_second_click_changes_nothing(desk: Desk) -> None:
    desk.says("bob", "follow #win")
    desk.says("bob", "digest #win")
    click(desk, "bob")
    assert click(desk, "bob")[1] == ""
    assert desk.office.sql("SELECT way FROM topic_follows") == [("nothing",)]


def test_a_tag_in_a_digest_that_is_left_and_followed_again_comes_at_once(desk: Desk) -> None:
    for words in ("follow #win", "digest #win", "leave #win", "follow #win"):
        desk.says("bob", words)
    desk.heard("bob")
    desk.says("kim", "we have it #win")
    assert desk.heard("bob") == ["Kim Lee: we have it #win"]
    desk.clean()


def test_undo_takes_a_tag_out_of_the_digest_and_ends_it(desk: Desk) -> None:
    for words in ("follow #win", "digest #win"):
        desk.says("bob", words)
    desk.says("kim", "we have it #win")
    desk.heard("bob")
    desk.says("bob", "undo")
    answer, digest = desk.heard("bob")
    assert answer == "#win comes one by one again."
    assert "we have it #win" in digest
    assert desk.office.sql("SELECT digest_every FROM attention") == [(None,)]


def test_undo_after_the_tag_was_left_says_so(desk: Desk) -> None:
    for words in ("follow #win", "digest #win"):
        desk.says("bob", words)
    desk.office.sql("DELETE FROM topic_follows")
    desk.heard("bob")
    desk.says("bob", "undo")
    assert desk.heard("bob") == ["You no longer follow #win. Nothing was changed."]


def test_what_was_in_a_digest_that_did_not_leave_goes_one_by_one_whatever_the_way(desk: Desk) -> None:
    for words in ("follow #win", "digest #win"):
        desk.says("bob", words)
    desk.says("kim", "we have it #win")
    desk.office.sql("UPDATE held SET until = now()")
    desk.fold()
    desk.office.sql("UPDATE deliveries SET state = 'failed', reason = '30008', ended_at = now() WHERE author_id IS NULL"
                    " OR message_id IN (SELECT message_id FROM digests)")  # fmt: skip
    desk.heard("bob")
    desk.office.sql("UPDATE held SET state = 'waiting', until = now() WHERE state = 'folded'")
    desk.send()
    assert desk.heard("bob") == ["Kim Lee: we have it #win"]
