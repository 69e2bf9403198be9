"""An update that several sources bring: what its reader has left or switched off is no source, and the others bring it,
also to whoever never chose a way. The real workers."""

import pytest

from gateway.network.receipts import receipts
from gateway.store.database import transaction
from tests.support.desk import Desk

WORDS = "ACME signed #win"


def told(desk: Desk, handle: str) -> list[str]:
    return [words for words in desk.heard(handle) if "ACME signed" in words]


def with_tag(desk: Desk, *settings: str) -> None:
    """Sam follows Kim by text, and now the tag as well."""
    for words in ("follow #win", *settings):
        desk.says("sam", words)
    desk.heard("sam")


@pytest.mark.parametrize("setting", ["off kim", "prefer nothing for kim", "leave kim", "off kim 2h"])
def test_what_is_off_or_left_keeps_nothing_back_that_a_tag_brings(desk: Desk, setting: str) -> None:
    with_tag(desk, setting)
    desk.says("kim", WORDS)
    assert len(told(desk, "sam")) == 1
    desk.says("sam", "why")
    assert desk.heard("sam")[0].startswith("You have followed #win since ")
    desk.clean()


@pytest.mark.parametrize("setting", ["off kim", "leave kim"])
def test_it_is_so_when_it_was_queued_before(desk: Desk, setting: str) -> None:
    """The delivery that Kim's followers get was there first, and says that Kim brings it."""
    with_tag(desk)
    desk.office.says("kim", WORDS)
    desk.office.read()
    while desk.office.spread():
        pass
    desk.office.says("sam", setting)
    desk.office.read()
    desk.work()
    assert len(told(desk, "sam")) == 1


def test_without_another_source_it_does_not_come(desk: Desk) -> None:
    with_tag(desk, "off kim", "leave #win")
    desk.says("kim", WORDS)
    assert told(desk, "sam") == []
    with transaction(desk.office.engine) as session:
        [post] = desk.office.sql("SELECT id FROM posts")
        missed = receipts.list_missed(session, post.id, "UTC", 10)
    assert [(one.handle, str(one.why)) for one in missed] == [("sam", "paused for now")]


def test_one_that_is_off_too_brings_nothing(desk: Desk) -> None:
    with_tag(desk, "off kim", "prefer nothing for #win")
    desk.says("kim", WORDS)
    assert told(desk, "sam") == []


def test_a_tracked_word_brings_it(desk: Desk) -> None:
    for words in ("track acme", "off kim"):
        desk.says("sam", words)
    desk.heard("sam")
    desk.says("kim", "ACME signed")
    assert len(told(desk, "sam")) == 1


def test_a_mute_is_about_the_person_and_counts_all_the_same(desk: Desk) -> None:
    with_tag(desk, "mute kim")
    desk.says("kim", WORDS)
    assert told(desk, "sam") == []


def test_a_follow_by_text_that_is_off_makes_no_text_of_a_mail(desk: Desk) -> None:
    """Pat asked for texts from Kim, switched Kim off, and gets the tag by mail."""
    for words in ("follow kim", "off kim", "follow #win", "prefer mail for #win"):
        desk.says("pat", words)
    desk.office.sql("UPDATE topic_follows SET by_text = false, way = NULL")
    desk.office.sql("DELETE FROM attention")
    desk.office.sql("UPDATE accounts SET chooses = false")
    desk.heard("pat")
    desk.says("kim", WORDS)
    assert told(desk, "pat") == []
    assert len([mail for mail in desk.mailed("pat") if "ACME signed" in mail]) == 1
    desk.clean()


def test_a_text_that_was_queued_goes_to_the_mailbox_when_only_a_mail_is_wanted(desk: Desk) -> None:
    for words in ("follow kim", "follow #win"):
        desk.says("pat", words)
    desk.office.sql("UPDATE topic_follows SET by_text = false")
    desk.heard("pat")
    desk.office.says("kim", WORDS)
    desk.office.read()
    while desk.office.spread():
        pass
    desk.office.says("pat", "off kim")
    desk.office.read()
    desk.work()
    assert told(desk, "pat") == []
    assert len([mail for mail in desk.mailed("pat") if "ACME signed" in mail]) == 1
    desk.clean()
