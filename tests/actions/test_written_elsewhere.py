"""Words that come from a page or the API: no grammar has read them before the action gets them."""

import pytest

from gateway.actions import following, messaging, posting, profile, replying
from gateway.actions.preferences import tracking
from gateway.errors import Refused
from gateway.store.database import transaction
from tests.support.office import Office

DIRTY = " the printer\x00 works\u200b again\ud800 \n"


def test_posts_are_cleaned_as_texts_are(office: Office) -> None:
    with transaction(office.engine) as session:
        kim = office.actor(session, "kim")
        public = posting.post_update(session, kim, DIRTY)
        messaging.send(session, kim, [office.named(session, "sam")], DIRTY)
        posting.post_to_groups(session, kim, [office.named(session, "acme").id], DIRTY)
        replying.reply(session, office.actor(session, "sam"), public.post_id, DIRTY)
    assert office.sql("SELECT DISTINCT text FROM posts") == [("the printer works again",)]


def test_nothing_but_controls_is_empty(office: Office) -> None:
    with transaction(office.engine) as session, pytest.raises(Refused) as refused:
        posting.post_update(session, office.actor(session, "kim"), "\x00\u200b")
    assert refused.value.reason == "empty"


@pytest.mark.parametrize("tag", ["", "#", "lunch", "#" + "x" * 51, "#two words", "#a\x00", "#12", "##lunch"])
def test_only_what_posts_can_have_is_followed_as_a_tag(office: Office, tag: str) -> None:
    with transaction(office.engine) as session, pytest.raises(Refused) as refused:
        following.follow_tag(session, office.actor(session, "kim"), tag)
    assert refused.value.reason == "bad_tag"
    assert office.sql("SELECT count(*) FROM topics") == [(0,)]


@pytest.mark.parametrize("tag", ["", "xx", "english", "e\x00", "en_US", "en" * 500])
def test_a_language_is_known(office: Office, tag: str) -> None:
    with transaction(office.engine) as session, pytest.raises(Refused) as refused:
        profile.set_language(session, office.actor(session, "kim"), tag)
    assert refused.value.reason == "bad_language"


@pytest.mark.parametrize("words", ["ac\x00me", " ACME\u200b \n", "ac\ud800me", "\u202eacme", "(acme)", '"acme'])
def test_a_tracked_word_is_cleaned_as_posts_are(office: Office, words: str) -> None:
    with transaction(office.engine) as session:
        kim = office.actor(session, "kim")
        assert tracking.track(session, kim, words).phrase == "acme"
        assert tracking.untrack(session, kim, words).state == "ended"
    assert office.sql("SELECT phrase, shown FROM tracks") == [("acme", "acme")]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("\x00", "track_too_short"),
        ("", "track_too_short"),
        ("x" * 10**6, "track_too_long"),
        ("a b c d e f", "track_too_long"),
    ],
)
def test_what_no_post_can_have_is_not_tracked(office: Office, words: str, reason: str) -> None:
    with transaction(office.engine) as session, pytest.raises(Refused) as refused:
        tracking.track(session, office.actor(session, "kim"), words)
    assert refused.value.reason == reason
    assert office.sql("SELECT count(*) FROM tracks") == [(0,)]
