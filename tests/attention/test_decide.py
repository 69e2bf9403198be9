"""The rules, one by one and in conflict: each with its neighbours, each pair, and what holds for any facts at all."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attention.causes import DeliveryCause as Cause
from gateway.attention.decide import RULES, decide
from gateway.attention.decision import SEND, Decision, Drop, Send
from gateway.attention.facts import CIRCUMSTANCES, KINDS, Facts
from gateway.channels import CHANNELS, EMAIL, SMS
from gateway.ledger.outbox.held import Hold

NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
LATER: Final = NOON + timedelta(hours=1)
TOMORROW: Final = datetime(2026, 12, 1, 8, tzinfo=UTC)
DATE: Final = datetime(2026, 12, 1)  # noqa: DTZ001 - by a wall clock
LUNCH: Final = "mo,tu,we,th,fr 12:00-13:00"
LATE: Final = {"now": NOON, "give_up_at": NOON}
STATES: Final = ("active", "suspended", "deactivated", None)
PREFERENCES: Final = (
    "daily_wanted", "daily_outdated", "address_off", "subscribed", "source_off", "digested", "quiet",
    "behind",
)  # fmt: skip

# What keeps a delivery back, the most important first.
REASONS: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("opted out", {"address_state": "stopped"}, "opted_out"),
    ("invited", {"address_state": "invited"}, "invited"),
    ("a number that changed hands", {"address_state": "suspended"}, "suspended"),
    ("bouncing", {"bouncing": True}, "bouncing"),
    ("a suspended author", {"author_state": "suspended"}, "suspended"),
    ("a reader who left the company", {"reader_state": "deactivated"}, "deactivated"),
    ("too late", LATE, "gave_up"),
    ("taken back", {"retracted": True}, "retracted"),
    ("silenced", {"silenced": True}, "silenced"),
    ("not addressed", {"addressed": False}, "private"),
    ("not a member", {"member": False}, "left"),
    ("no daily mail wanted", {"daily_wanted": False}, "off"),
    ("an outdated daily mail", {"daily_outdated": True}, "retracted"),
    ("no longer subscribed", {"subscribed": False}, "left"),
    ("source off", {"source_off": True}, "off"),
    ("address off", {"address_off": True}, "off"),
)

NEIGHBOURS: Final[tuple[tuple[dict[str, Any], Decision], ...]] = (
    # A phone that opted out gets the answer to STOP or HELP; a mailbox gets each answer; nobody gets anything else.
    ({"address_state": "stopped", "kind": "answer"}, Drop("opted_out")),
    ({"address_state": "stopped", "kind": "answer", "answers_stop": True}, SEND),
    ({"address_state": "stopped", "kind": "answer", "channel": EMAIL}, SEND),
    ({"address_state": "stopped", "kind": "notice", "answers_stop": True}, Drop("opted_out")),
    ({"address_state": "stopped", "kind": "update", "channel": EMAIL}, Drop("opted_out")),
    ({"address_state": "stopped", "kind": "code"}, Drop("opted_out")),
    ({"address_state": "stopped", "kind": "welcome"}, Drop("opted_out")),
    ({"address_state": "stopped", "kind": "answer", "answers_stop": True, "silenced": True}, Drop("silenced")),
    # An invited phone gets answers, one welcome and codes.
    ({"address_state": "invited", "kind": "answer"}, SEND),
    ({"address_state": "invited", "kind": "welcome"}, SEND),
    ({"address_state": "invited", "kind": "code"}, SEND),
    ({"address_state": "invited", "kind": "notice"}, Drop("invited")),
    ({"address_state": "invited", "kind": "daily"}, Drop("invited")),
    ({"address_state": "suspended", "kind": "code"}, SEND),
    ({"address_state": "suspended", "kind": "answer"}, Drop("suspended")),
    ({"address_state": "suspended", "kind": "welcome"}, Drop("suspended")),
    # A late code is like anything else that is late.
    ({"kind": "code", **LATE}, Drop("gave_up")),
    ({"kind": "code", "address_state": "invited", **LATE}, Drop("gave_up")),
    ({"kind": "code", "bouncing": True, **LATE}, Drop("bouncing")),
    ({"kind": "code", "now": NOON, "give_up_at": NOON + SECOND, "bouncing": True}, SEND),
    # The test mail goes where mails come back.
    ({"bouncing": True, "test_mail": True}, SEND),
    ({"bouncing": False, "test_mail": True}, SEND),
    ({"bouncing": True, "test_mail": True, "silenced": True}, Drop("silenced")),
    # People: a suspended one is not heard and does not hear; who was deactivated is still heard of.
    ({"reader_state": "suspended"}, Drop("suspended")),
    ({"first_state": "suspended"}, Drop("suspended")),
    ({"reader_state": "deactivated", "first_state": "suspended"}, Drop("suspended")),
    ({"author_state": "deactivated"}, SEND),
    ({"first_state": "deactivated"}, SEND),
    ({"reader_state": None, "author_state": None, "first_state": None}, SEND),
    # Trying ends at that very moment.
    ({"now": NOON, "give_up_at": NOON + SECOND}, SEND),
    ({"now": NOON, "give_up_at": NOON - SECOND}, Drop("gave_up")),
    # `off` is for what nobody sent to this person by name.
    ({"address_off": True, "kind": "daily"}, Drop("off")),
    ({"address_off": True, "kind": "answer"}, SEND),
    ({"address_off": True, "kind": "notice"}, SEND),
    ({"address_off": True, "kind": "welcome"}, SEND),
    # With an end it waits for that; a digest is made anew then, and the daily mail of that day is over.
    ({"address_off": True, "off_until": LATER}, Hold("off_till", LATER, Cause.PERSON)),
    ({"address_off": True, "off_until": LATER, "cause": Cause.PRIVATE}, Hold("off_till", LATER, Cause.PRIVATE)),
    ({"address_off": True, "off_until": LATER, "kind": "digest"}, Drop("off_till")),
    ({"address_off": True, "off_until": LATER, "kind": "daily"}, Drop("off")),
    ({"address_off": True, "off_until": LATER, "kind": "answer"}, SEND),
    ({"address_off": True, "kind": "digest"}, Drop("off")),
    ({"address_off": True, "off_until": LATER, "subscribed": False}, Drop("left")),
    ({"address_off": True, "off_until": LATER, "quiet": LUNCH, "now": NOON}, Hold("off_till", LATER, Cause.PERSON)),
    # What is wanted in a digest waits for its next slot, whatever the phone does meanwhile.
    ({"digested": True, "digest_every": "day", "now": NOON}, Hold("digest", TOMORROW, Cause.PERSON, DATE)),
    ({"digested": True, "digest_every": "day", "now": NOON, "kind": "answer"}, SEND),
    (
        {"digested": True, "digest_every": "day", "now": NOON, "quiet": LUNCH},
        Hold("digest", TOMORROW, Cause.PERSON, DATE),
    ),
    (
        {"digested": True, "digest_every": "day", "now": NOON, "address_off": True},
        Hold("digest", TOMORROW, Cause.PERSON, DATE),
    ),
    ({"digested": True, "digest_every": "day", "now": NOON, "source_off": True}, Drop("off")),
    ({"digested": True, "now": NOON}, SEND),
    # In quiet hours nothing rings that nobody waits for.
    ({"quiet": LUNCH, "now": NOON}, Hold("quiet", LATER, Cause.PERSON)),
    ({"quiet": LUNCH, "now": NOON - SECOND}, SEND),
    ({"quiet": LUNCH, "now": LATER}, SEND),
    ({"quiet": LUNCH, "now": NOON, "timezone": "America/New_York"}, SEND),
    ({"quiet": LUNCH, "now": NOON, "timezone": "Nowhere/Town"}, Hold("quiet", LATER, Cause.PERSON)),
    ({"quiet": LUNCH, "now": NOON, "kind": "notice"}, Hold("quiet", LATER, Cause.PERSON)),
    ({"quiet": LUNCH, "now": NOON, "kind": "daily"}, Hold("quiet", LATER, Cause.PERSON)),
    ({"quiet": LUNCH, "now": NOON, "kind": "digest"}, Drop("quiet")),
    ({"quiet": LUNCH, "now": NOON, "kind": "answer"}, SEND),
    ({"quiet": LUNCH, "now": NOON, "kind": "welcome"}, SEND),
    ({"quiet": LUNCH, "now": NOON, "kind": "code"}, SEND),
    ({"quiet": LUNCH, "now": NOON, "kind": "notice", "bouncing": True, "test_mail": True}, SEND),
    ({"quiet": LUNCH, "now": NOON, "in_conversation": True, "cause": Cause.PRIVATE}, SEND),
    ({"quiet": LUNCH, "now": NOON, "retracted": True}, Drop("retracted")),
    ({"quiet": LUNCH, "now": NOON, "behind": True}, Hold("quiet", LATER, Cause.PERSON)),
    # What comes while others are about to leave comes with them.
    ({"behind": True, "now": NOON}, Hold("behind", NOON, Cause.PERSON)),
    ({"behind": True, "in_conversation": True}, SEND),
    ({"behind": True, "kind": "notice"}, SEND),
    ({"behind": True, "silenced": True}, Drop("silenced")),
    # An urgent call comes at any hour, and to whoever may get it at all.
    ({"urgent": True, "quiet": LUNCH, "now": NOON}, SEND),
    ({"urgent": True, "address_off": True}, SEND),
    ({"urgent": True, "behind": True, "digested": True, "digest_every": "day"}, SEND),
    ({"urgent": True, "kind": "notice", "quiet": LUNCH, "now": NOON}, SEND),
    ({"urgent": True, "address_state": "stopped", "quiet": LUNCH, "now": NOON}, Drop("opted_out")),
    ({"urgent": True, "silenced": True}, Drop("silenced")),
    ({"urgent": True, "subscribed": False}, Drop("left")),
    ({"urgent": True, "member": False}, Drop("left")),
    ({"urgent": True, "source_off": True}, Drop("off")),
    ({"urgent": True, "retracted": True}, Drop("retracted")),
    ({"urgent": True, **LATE}, Drop("gave_up")),
)


@pytest.mark.parametrize(("changes", "reason"), [each[1:] for each in REASONS], ids=[each[0] for each in REASONS])
def test_each_reason_alone_keeps_it_back(changes: dict[str, Any], reason: str) -> None:
    assert decide(Facts(**changes)) == Drop(reason)


@pytest.mark.parametrize(("changes", "decision"), NEIGHBOURS, ids=[str(each[0]) for each in NEIGHBOURS])
def test_the_neighbours_of_each_rule(changes: dict[str, Any], decision: Decision) -> None:
    assert decide(Facts(**changes)) == decision


@pytest.mark.parametrize(
    ("first", "second"), list(combinations(REASONS, 2)), ids=lambda each: each[0] if isinstance(each, tuple) else None
)
def test_of_two_reasons_the_more_important_one_counts(
    first: tuple[str, dict[str, Any], str], second: tuple[str, dict[str, Any], str]
) -> None:
    """An address has one state, so of two reasons that are states only the one that it has can count."""
    changes = second[1] | first[1]
    assert decide(Facts(**changes)) == Drop(first[2])


@pytest.mark.parametrize(("name", "changes"), [each[:2] for each in REASONS], ids=[each[0] for each in REASONS])
def test_a_code_in_time_is_kept_back_by_an_opt_out_alone(name: str, changes: dict[str, Any]) -> None:
    late = Drop("gave_up") if changes is LATE else SEND
    assert decide(Facts(kind="code", **changes)) == (Drop("opted_out") if name == "opted out" else late)


def test_each_rule_decides_something() -> None:
    """A rule that no fact of the tables above reaches would stand there for nothing."""
    tried = [Facts(**changes) for _, changes, _ in REASONS] + [Facts(**changes) for changes, _ in NEIGHBOURS]
    deciding = {next((rule for rule in RULES if rule(facts) is not None), None) for facts in tried}
    assert deciding - {None} == set(RULES)


def any_facts() -> st.SearchStrategy[Facts]:
    """Also states that do not exist, and facts that cannot be true together."""
    moments = st.datetimes(timezones=st.just(UTC))
    anyhow = {each.name: st.booleans() for each in fields(Facts) if isinstance(each.default, bool)}
    people = dict.fromkeys(("reader_state", "author_state", "first_state"), st.sampled_from(STATES) | st.text())
    address = st.sampled_from(("verified", "invited", "stopped", "suspended")) | st.text(min_size=1)
    now_and_then = st.sampled_from((NOON, NOON + SECOND)) | moments
    return st.builds(
        Facts,
        kind=st.sampled_from(KINDS) | st.text(),
        channel=st.sampled_from(tuple(CHANNELS)) | st.text(),
        now=now_and_then,
        give_up_at=now_and_then,
        address_state=address,
        quiet=st.none() | st.just(LUNCH),
        off_until=st.none() | moments,
        digest_every=st.none() | st.just("day"),
        timezone=st.sampled_from(("UTC", "America/New_York")) | st.text(),
        **people,
        **anyhow,
    )


@given(any_facts())
def test_any_facts_are_decided_about_and_always_alike(facts: Facts) -> None:
    decision = decide(facts)
    assert isinstance(decision, Send) or decision.reason
    assert decision == decide(replace(facts))


@given(any_facts())
def test_no_preference_changes_what_must_not_leave(facts: Facts) -> None:
    """Opting out, blocks and privacy first: whoever is kept from something by them is told so, whatever they want."""
    indifferent = replace(facts, **{each.name: each.default for each in fields(Facts) if each.name in PREFERENCES})
    without = decide(indifferent)
    assert without == SEND or decide(facts) == without


@given(any_facts())
def test_an_opt_out_a_block_and_privacy_are_never_passed(facts: Facts) -> None:
    answered = facts.kind == "answer" and (facts.answers_stop or facts.channel == EMAIL)
    if facts.address_state == "stopped" and not answered:
        assert decide(facts) == Drop("opted_out")
    if facts.kind != "code" and (facts.silenced or not facts.addressed or not facts.member):
        assert decide(facts) != SEND


@given(any_facts(), st.sampled_from([each.name for each in fields(Facts) if isinstance(each.default, bool)]))
def test_one_more_reason_never_lets_it_leave(facts: Facts, name: str) -> None:
    [usual] = [each.default for each in fields(Facts) if each.name == name]
    if name not in CIRCUMSTANCES and decide(facts) != SEND:
        assert decide(replace(facts, **{name: not usual})) != SEND


@given(any_facts())
def test_circumstances_alone_are_no_reason(facts: Facts) -> None:
    """Deliveries with the usual facts are not even looked at, so whatever else is true of them they must be sent."""
    usual = Facts(**{name: getattr(facts, name) for name in CIRCUMSTANCES})
    assert decide(usual) == SEND


def test_a_text_and_a_mail_differ_in_an_opt_out_alone() -> None:
    for _, changes, reason in REASONS:
        for kind in KINDS:
            by_text, by_mail = (decide(Facts(**{"kind": kind} | changes, channel=one)) for one in (SMS, EMAIL))
            assert by_text == by_mail or (reason, kind) == ("opted_out", "answer")
