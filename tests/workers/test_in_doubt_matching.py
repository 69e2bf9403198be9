"""Texts in doubt against a carrier's list, as pure functions: whatever the list shows, none in doubt goes twice."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.outbox.in_doubt import Unknown
from gateway.sms.body_hash import canonical_body, digest
from workers.sending.in_doubt_matching import SERVICE, UnmatchedMessage, compare

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OURS, OTHER = "+15005550006", "+15005550009"


def doubt(attempt: int, body_hash: bytes | None, sender: str = OURS) -> Unknown:
    return Unknown(attempt, 1, "+14155550101", NOW + timedelta(seconds=attempt), "twilio", sender, body_hash)


def shown(number: int, body_hash: bytes, sender: str | None = OURS, minutes: float = 1.0) -> UnmatchedMessage:
    return UnmatchedMessage(f"SM{number}", body_hash, NOW + timedelta(minutes=minutes), sender)


def test_those_that_read_alike_are_matched_in_their_order() -> None:
    verdict = compare([doubt(1, b"a"), doubt(2, b"a"), doubt(3, b"b")], [shown(1, b"a"), shown(2, b"b")], [])
    assert (verdict.found, verdict.absent, verdict.open) == ({1: "SM1", 3: "SM2"}, [2], [])


def test_of_a_messaging_service_any_number_may_be_the_sender() -> None:
    one = doubt(1, b"a", f"{SERVICE}{'0' * 32}")
    assert compare([one], [shown(1, b"x", OTHER)], []).open == [1]
    assert compare([doubt(1, b"a")], [shown(1, b"x", OTHER)], []).absent == [1]


def test_what_a_text_on_its_way_explains_hides_nothing() -> None:
    assert compare([doubt(1, b"a")], [shown(1, b"z")], [b"z"]).absent == [1]
    assert compare([doubt(1, b"a")], [shown(1, b"z")], []).open == [1]


def test_with_enough_for_all_nobody_waits() -> None:
    assert compare([doubt(1, b"a")], [shown(1, b"a"), shown(2, b"a")], [b"a"]).found == {1: "SM1"}
    assert compare([doubt(1, b"a")], [shown(1, b"a")], [b"a"]).open == [1]


def test_without_a_time_it_may_be_any() -> None:
    assert compare([doubt(1, b"a")], [UnmatchedMessage("SM1", b"x", None, OURS)], []).open == [1]
    assert compare([doubt(1, b"a")], [shown(1, b"a", minutes=-6)], []).absent == [1]


HASHES = st.sampled_from([b"a", b"b", b"c", None])


@given(st.lists(HASHES, max_size=6), st.lists(st.sampled_from([b"a", b"b", b"x"]), max_size=6), st.lists(HASHES))
def test_each_has_one_end_and_each_message_stands_for_one(
    doubtful: Sequence[bytes | None], listed: Sequence[bytes], elsewhere: Sequence[bytes | None]
) -> None:
    mine = [doubt(number, body_hash) for number, body_hash in enumerate(doubtful)]
    messages = [shown(number, body_hash) for number, body_hash in enumerate(listed)]
    verdict = compare(mine, messages, [one for one in elsewhere if one])
    assert sorted([*verdict.found, *verdict.absent, *verdict.open]) == [one.attempt_id for one in mine]
    assert len(set(verdict.found.values())) == len(verdict.found)
    if b"x" in listed:
        assert not verdict.absent, "it may be any of them"


@given(st.text())
def test_a_canonical_form_is_stable(body: str) -> None:
    assert canonical_body(canonical_body(body)) == canonical_body(body)
    assert digest(f" {body}\n") == digest(body)
