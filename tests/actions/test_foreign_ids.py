"""Pages and the API name posts, groups and addresses by their ids: nobody reaches through one what is not theirs."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from gateway.actions import messaging, opting_out, pausing, posting, reacting, repeating, replying, reporting
from gateway.actions.groups import membership
from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import PROOF
from gateway.errors import Refused
from gateway.network.people import accounts, addresses
from gateway.store.database import transaction
from gateway.store.tables import Address
from tests.support.office import Office

Try = Callable[[Session, Actor, int], Any]


def address(session: Session, handle: str) -> Address:
    account = accounts.by_handle(session, handle)
    assert account
    found = addresses.primary(session, account.id, "sms")
    assert found
    return found


def said(office: Office, who: str, words: str) -> int:
    """The id of the post that somebody's text became."""
    office.says(who, words)
    office.work()
    return int(str(office.sql("SELECT id FROM posts ORDER BY id DESC LIMIT 1")[0][0]))


PRIVATE, CLOSED = "d dave the raise is approved", "#board the budget is red"
TRIES: list[tuple[Try, str]] = [
    (lambda session, kim, post_id: replying.reply(session, kim, post_id, "really?"), "nothing_to_answer"),
    (lambda session, kim, post_id: replying.reply_publicly(session, kim, post_id, "really?"), "nothing_to_answer"),
    (lambda session, kim, post_id: repeating.repeat(session, kim, post_id), "nothing_to_repeat"),
    (lambda session, kim, post_id: reporting.report_post(session, kim, post_id), "nothing_to_report"),
]


@pytest.mark.parametrize("words", [PRIVATE, CLOSED])
@pytest.mark.parametrize(("tried", "reason"), TRIES)
def test_a_post_of_others_and_one_that_never_was_are_refused_alike(
    office: Office, tried: Try, reason: str, words: str
) -> None:
    """So that ids tell nothing: neither that there is such a post, nor who wrote it, nor in which group."""
    post_id = said(office, "anne", words)
    before = office.sql("SELECT count(*) FROM posts")
    with transaction(office.engine) as session:
        answers = []
        for wanted in (post_id, 12345):
            with pytest.raises(Refused) as refused:
                tried(session, office.actor(session, "bob"), wanted)
            answers.append((refused.value.reason, refused.value.facts, str(refused.value)))
    assert answers[0] == answers[1]
    assert answers[0][0] == reason
    assert office.sql("SELECT count(*) FROM posts") == before
    assert office.sql("SELECT count(*) FROM reports") == [(0,)]


@pytest.mark.parametrize("blocker", ["bob", "anne"])
def test_a_block_does_not_tell_who_wrote_what(office: Office, blocker: str) -> None:
    post_id = said(office, "anne", PRIVATE)
    office.says(blocker, f"block {'anne' if blocker == 'bob' else 'bob'}")
    office.work()
    with transaction(office.engine) as session, pytest.raises(Refused) as refused:
        replying.reply(session, office.actor(session, "bob"), post_id, "really?")
    assert refused.value.reason == "nothing_to_answer"


@pytest.mark.parametrize("words", [PRIVATE, CLOSED])
def test_what_came_privately_is_not_answered_in_public(office: Office, words: str) -> None:
    """The mails of the answer would have the private words as their subject."""
    post_id = said(office, "anne", words)
    with transaction(office.engine) as session, pytest.raises(Refused) as refused:
        replying.reply_publicly(session, office.actor(session, "dave"), post_id, "good news")
    assert refused.value.reason == "nothing_to_answer"


def test_somebody_is_named_in_public_also_after_a_block(office: Office) -> None:
    said(office, "kim", "the printer works again")
    office.says("sam", "block kim")
    office.work()
    said(office, "sam", "@kim it does not")
    assert office.sql("SELECT text FROM posts ORDER BY id DESC LIMIT 1") == [("@kim it does not",)]


@pytest.mark.parametrize("words", [PRIVATE, CLOSED])
def test_a_private_message_takes_no_thread_of_others_along(office: Office, words: str) -> None:
    """Its mails would have the first words of that thread as their subject."""
    post_id = said(office, "anne", words)
    with transaction(office.engine) as session:
        bob = office.actor(session, "bob")
        messaging.send(session, bob, [office.named(session, "priya")], "look at this", post_id)
        messaging.tell_posters(session, bob, office.named(session, "dispatch"), "look at this", post_id)
    assert office.sql("SELECT in_reply_to FROM posts WHERE id > :first", first=post_id) == [(None,), (None,)]
    assert not office.sql("SELECT 1 FROM messages WHERE subject ~ 'raise|budget' AND post_id > :one", one=post_id)


@pytest.mark.parametrize("words", [PRIVATE, CLOSED])
def test_nobody_reacts_to_what_they_may_not_read(office: Office, words: str) -> None:
    post_id = said(office, "anne", words)
    with transaction(office.engine) as session:
        assert not reacting.react(session, office.actor(session, "bob"), post_id, "like")
    assert office.sql("SELECT count(*) FROM reactions") == [(0,)]


def test_a_reaction_to_a_repeat_is_the_originals(office: Office) -> None:
    first = said(office, "kim", "the printer works again")
    repeated = said(office, "sam", "rt")
    with transaction(office.engine) as session:
        assert reacting.react(session, office.actor(session, "bob"), repeated, "like")
        assert reacting.react(session, office.actor(session, "bob"), repeated, "like", removed=True)
        assert reacting.react(session, office.actor(session, "bob"), repeated, "👍")
    assert office.sql("SELECT post_id, kind FROM reactions") == [(first, "👍")]


@pytest.mark.parametrize("kind", ["", "x" * 5000, "you are fired", "like ", "👍👍", "a\x00b"])
def test_a_reaction_is_a_word_for_one_or_an_emoji(office: Office, kind: str) -> None:
    post_id = said(office, "kim", "the printer works again")
    with transaction(office.engine) as session, pytest.raises(Refused) as refused:
        reacting.react(session, office.actor(session, "sam"), post_id, kind)
    assert refused.value.reason == "bad_reaction"


def test_what_reached_somebody_may_be_reported_when_they_may_not_read_it_any_more(office: Office) -> None:
    """Whoever insults somebody and then blocks them, or lets them out of the group, is reported all the same."""
    said(office, "kim", "d sam hello")
    insult = said(office, "kim", "d sam you are a fool")
    office.says("kim", "block sam")
    office.work()
    with transaction(office.engine) as session:
        assert reporting.report_post(session, office.actor(session, "sam"), insult)
        with pytest.raises(Refused) as refused:
            reporting.report_post(session, office.actor(session, "kim"), insult)
    assert refused.value.reason == "report_of_self"


@pytest.mark.parametrize("groups", [["kim"], ["acme", "kim"], [], ["acme"] * 2])
def test_only_groups_are_posted_to(office: Office, groups: list[str]) -> None:
    """The followers of a person get what that person posts, and nothing of their other followers'."""
    with transaction(office.engine) as session:
        sam = office.actor(session, "sam")
        ids = [office.named(session, handle).id for handle in groups]
        if groups == ["acme"] * 2:
            posting.post_to_groups(session, sam, ids, "hello all")
        else:
            with pytest.raises(Refused) as refused:
                posting.post_to_groups(session, sam, ids, "hello all")
            assert refused.value.reason == "group_gone"
    assert office.sql("SELECT count(*) FROM fanouts") == [(1 if groups == ["acme"] * 2 else 0,)]


SWITCHES: list[Callable[[Session, Actor, Address], Any]] = [
    lambda session, who, where: pausing.turn_off(session, who, where),
    lambda session, who, where: pausing.turn_on(session, who, where),
    lambda session, who, where: opting_out.opt_out(session, who, where),
    lambda session, who, where: opting_out.opt_in(session, who, where),
]


@pytest.mark.parametrize("switch", SWITCHES)
def test_nobody_turns_the_phone_of_somebody_else_off_or_on(
    office: Office, switch: Callable[[Session, Actor, Address], Any]
) -> None:
    before = office.sql("SELECT id, state, receiving FROM addresses ORDER BY id")
    with transaction(office.engine) as session, pytest.raises(Refused) as refused:
        switch(session, office.actor(session, "kim"), address(session, "sam"))
    assert refused.value.reason == "address_gone"
    assert office.sql("SELECT id, state, receiving FROM addresses ORDER BY id") == before
    assert office.sql("SELECT count(*) FROM consent") == [(0,)]


def test_members_are_people_and_roles_those_of_the_group(office: Office) -> None:
    with transaction(office.engine) as session:
        anne, board = office.actor(session, "anne", PROOF), office.named(session, "board")
        for change in (membership.add, membership.make_owner):
            with pytest.raises(Refused) as refused:
                change(session, anne, office.named(session, "acme"), board)
            assert refused.value.reason == "member_is_group"
        dana, dispatch = office.actor(session, "dana", PROOF), office.named(session, "dispatch")
        for role in (None, "owner", "member", "boss"):
            assert membership.add(session, dana, office.named(session, "sam"), dispatch, role).state == "which_role"
        assert membership.add(session, dana, office.named(session, "sam"), dispatch, membership.POSTS).state == "added"
