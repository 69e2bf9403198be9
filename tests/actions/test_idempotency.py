"""One key, one effect: also for two requests at once, and after a refusal."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from gateway.actions import following, posting
from gateway.actions.groups import group_creation
from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import OK, ConfirmationRequired
from gateway.actions.model.idempotency import once
from gateway.actions.posting import Posted
from gateway.actions.undoing import undo
from gateway.errors import Refused
from gateway.i18n.refusals import refusal
from gateway.ledger.audit import invariants
from gateway.network.people.directory import find_named
from gateway.store.database import transaction
from tests.support.office import Office


def post(office: Office, key: str, words: str, who: str = "kim") -> Posted:
    with transaction(office.engine) as session:
        return once(session, office.actor(session, who), key, posting.post_update, words)


def posts(office: Office) -> int:
    return int(str(office.sql("SELECT count(*) FROM posts")[0][0]))


def test_a_repeat_gets_the_first_result(office: Office) -> None:
    assert post(office, "a", "the printer works") == post(office, "a", "the printer works")
    assert posts(office) == 1
    assert office.sql("SELECT door, key, inbound_id FROM actions") == [("api", "a", None)]


def test_keys_belong_to_one_account(office: Office) -> None:
    first, second = post(office, "a", "the printer works"), post(office, "a", "the printer works", who="sam")
    assert first.post_id != second.post_id


def test_a_key_is_of_one_request(office: Office) -> None:
    post(office, "a", "the printer works")
    with pytest.raises(Refused, match="another request"):
        post(office, "a", "the printer is broken")
    with transaction(office.engine) as session:
        kim, sam = office.actor(session), find_named(office.actor(session, "sam").account)
        with pytest.raises(Refused, match="another request"):
            once(session, kim, "a", following.follow, sam)
    assert posts(office) == 1


def test_two_requests_at_once_are_done_once(office: Office) -> None:
    done: list[Posted] = []
    at_once = threading.Barrier(8)

    def request() -> None:
        at_once.wait()
        done.append(post(office, "a", "the printer works"))

    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 8
    assert len({one.post_id for one in done}) == 1
    assert posts(office) == 1


def test_a_refusal_uses_up_no_key(office: Office) -> None:
    with pytest.raises(Refused, match="empty"):
        post(office, "a", "   ")
    assert post(office, "a", "the printer works").post_id
    assert office.sql("SELECT count(*) FROM actions") == [(1,)]


def test_a_question_uses_up_no_key_and_leaves_nothing(office: Office) -> None:
    """Within one transaction, too: a page shows the question in the same request."""
    office.settings = office.settings.model_copy(update={"ask_phones": 0})
    with transaction(office.engine) as session:
        kim = office.actor(session)
        with pytest.raises(ConfirmationRequired) as asked:
            once(session, kim, "a", posting.post_update, "the printer works")
        assert (asked.value.kind, asked.value.facts["reach"].phones) == ("reach", 1)
        kim.confirmed |= asked.value.gives
        assert once(session, kim, "a", posting.post_update, "the printer works").post_id
    assert posts(office) == 1


def test_undo_finds_what_was_done_by_another_door(office: Office) -> None:
    """A page posts, a phone takes it back; a phone posts, a page takes it back."""
    post(office, "a", "the printer works")
    office.says("kim", "undo")
    office.work()
    office.says("kim", "lunch is here")
    office.work()
    with transaction(office.engine) as session:
        assert once(session, office.actor(session), "b", undo).outcome == "post_retracted"
    assert office.sql("SELECT count(*) FROM posts WHERE deleted_at IS NOT NULL") == [(2,)]


def test_undo_of_a_page_passes_over_what_a_phone_was_asked(office: Office) -> None:
    """The question stays open on the phone, and its answer still counts."""
    post(office, "a", "the printer works")
    office.says("kim", "new garden")
    office.work()
    with transaction(office.engine) as session:
        assert once(session, office.actor(session), "b", undo).outcome == "post_retracted"
    office.says("kim", "OK")
    office.work()
    assert office.sql("SELECT count(*) FROM accounts WHERE handle = 'garden'") == [(1,)]


def test_a_result_that_is_no_longer_kept_is_told(office: Office) -> None:
    post(office, "a", "the printer works")
    office.sql("UPDATE actions SET result = NULL")
    with pytest.raises(Refused, match="no longer kept"):
        post(office, "a", "the printer works")
    assert posts(office) == 1


def test_a_post_by_a_page_is_sent_and_audited(office: Office) -> None:
    post(office, "a", "the printer works")
    office.work()
    told = office.sql(
        "SELECT a.address FROM deliveries d JOIN addresses a ON a.id = d.address_id"
        " JOIN messages m ON m.id = d.message_id WHERE m.kind = 'update' AND d.state = 'sent'"
    )
    assert sorted(told) == [("+14155550102",), ("priya@demo.example",)]
    with transaction(office.engine) as session:
        assert invariants.prove(session).broken == ()
    office.sql("DELETE FROM posts")
    with transaction(office.engine) as session:
        assert "which is gone" in str(invariants.prove(session).broken)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x00b", "a\nb", "schlüssel"])
def test_a_key_is_short_and_printable(office: Office, key: str) -> None:
    with pytest.raises(Refused) as refused:
        post(office, key, "the printer works")
    assert refused.value.reason == "bad_key"
    assert post(office, "x" * 255, "the printer works").post_id


def test_an_actor_who_does_two_things_has_the_effects_of_each_once(office: Office) -> None:
    """Also when the first was refused after it had noted something."""

    def half_done(session: Session, actor: Actor) -> Posted:
        actor.did("post", 1)
        raise refusal("empty")

    with transaction(office.engine) as session:
        kim = office.actor(session)
        with pytest.raises(Refused):
            once(session, kim, "a", half_done)
        once(session, kim, "b", posting.post_update, "the printer works")
        once(session, kim, "c", posting.post_update, "lunch is here")
    rows = office.sql(
        "SELECT a.key, count(*) FROM effects e JOIN actions a ON a.id = e.action_id GROUP BY 1 ORDER BY 1"
    )
    assert rows == [("b", 1), ("c", 1)]


def test_the_order_of_a_set_makes_no_other_request(office: Office) -> None:
    """Each process has its own order of strings."""
    for reserved in (["undo", "follow", "leave"], ["leave", "undo", "follow"]):
        with transaction(office.engine) as session:
            kim = office.actor(session)
            kim.confirmed = frozenset({OK})
            once(session, kim, "a", group_creation.create_group, "garden", "open", Unsorted(reserved))
    assert office.sql("SELECT count(*) FROM accounts WHERE handle = 'garden'") == [(1,)]


class Unsorted(frozenset[str]):
    """A set with an order of its own."""

    def __new__(cls, words: list[str]) -> "Unsorted":
        made = super().__new__(cls, words)
        made.words = words
        return made

    words: list[str]

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __repr__(self) -> str:
        return repr(self.words)


def test_what_two_doors_take_back_at_once_is_taken_back_once(office: Office) -> None:
    post(office, "a", "the printer works")
    answers: list[str] = []

    def second() -> None:
        with transaction(office.engine) as session:
            try:
                answers.append(once(session, office.actor(session), "b", undo).outcome)
            except Refused as refused:
                answers.append(refused.reason)

    with transaction(office.engine) as session:
        assert once(session, office.actor(session), "c", undo).outcome == "post_retracted"
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(1)
        assert waiting.is_alive()
    waiting.join(10)
    assert answers == ["undone_already"]
    assert office.sql("SELECT count(*) FROM effects WHERE kind = 'undo'") == [(1,)]
