"""The rules, one by one and in conflict: each with its neighbours, each pair, and what holds for any facts at all."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attention.causes import DeliveryCause as Cause
from gateway.attention.decide import RULES, decide
from gateway.attention.decision import SEND, Decision, Drop, Redirect, Send
from gateway.attention.facts import CIRCUMSTANCES, KINDS, Facts
from gateway.attention.ways import COLUMNS, WAYS
from gateway.channels import CHANNELS, EMAIL, PUSH, SMS
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
    "daily_wanted", "daily_outdated", "address_off", "subscribed", "source_off", "choosing", "choice",
    "quiet", "behind", "limited", "online",
)  # fmt: skip

BOX: Final = 4242  # the id of a mailbox
DEVICES: Final = 4343  # the id of the address that stands for all devices


def brought(
    *causes: tuple[int, str | None, bool],
    prefer: str | None = None,
    box: int | None = None,
    on: bool = True,
    devices: int | None = None,
    **ways: str,
) -> dict[str, Any]:
    """Facts of somebody who chose ways: the causes of the item (number, its own way, by text), and their choices."""
    chosen = [prefer, *(ways.get(name) for name in COLUMNS)]
    return {"choosing": True, "choice": json.dumps([causes, chosen, [box, on] if box else None, devices])}


def others(*causes: tuple[int, str | None, bool], box: int | None = None) -> dict[str, Any]:
    """The same of somebody who chose nothing, and has left or switched off what brought it."""
    return brought(*causes, box=box) | {"choosing": False}


FOLLOWED: Final = (Cause.PERSON, None, True)
BY_MAIL: Final = (Cause.PERSON, None, False)
WRITTEN: Final = brought((Cause.PRIVATE, None, True), private="web")
PUSHED: Final = brought((Cause.MENTION, None, True), prefer="push", devices=DEVICES) | {"channel": PUSH}
DIGESTS: Final = {"digest_every": "day", "now": NOON}
MINUTES: Final = timedelta(minutes=5)
UNSEEN: Final = {"unseen_after": MINUTES, "now": NOON}
ONLINE: Final = {"online": True, "online_until": LATER, "now": NOON}
DIGESTED: Final = brought((Cause.PERSON, "digest", True)) | {"digest_every": "day", "now": NOON}
IN_DIGEST: Final = Hold("digest", TOMORROW, Cause.PERSON, DATE)

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
    (DIGESTED, IN_DIGEST),
    (DIGESTED | {"kind": "answer"}, SEND),
    (DIGESTED | {"quiet": LUNCH}, IN_DIGEST),
    (DIGESTED | {"address_off": True}, IN_DIGEST),
    (DIGESTED | brought((Cause.PERSON, "nothing", True)) | {"source_off": True}, Drop("off")),
    (DIGESTED | {"digest_every": None}, SEND),
    (DIGESTED | {"digest_failed": True}, SEND),
    (DIGESTED | {"choosing": False}, SEND),
    # S2: its own way, else that of its cause, else as it was asked for.
    (DIGESTED | brought(FOLLOWED, person="digest"), IN_DIGEST),
    (DIGESTED | brought((Cause.PERSON, "text", False), person="digest"), SEND),
    (DIGESTED | brought(FOLLOWED, group="digest", tag="nothing"), SEND),
    (DIGESTED | brought((Cause.PERSON, "digest", True), person="nothing"), IN_DIGEST),
    (brought(FOLLOWED, person="nothing"), Drop("off")),
    (brought((Cause.TAG, "nothing", True), tag="text"), Drop("off")),
    (brought((Cause.PRIVATE, None, True), private="nothing"), Drop("off")),
    (brought(FOLLOWED, person="nothing") | {"kind": "answer"}, SEND),
    (brought(FOLLOWED, person="nothing") | {"kind": "notice"}, SEND),
    (brought(FOLLOWED, person="nothing") | {"kind": "code"}, SEND),
    (brought(FOLLOWED, person="nothing") | {"digest_failed": True}, Drop("off")),
    (brought(), SEND),
    # S3: of several causes the loudest counts.
    (DIGESTED | brought((Cause.PERSON, "digest", True), (Cause.TAG, "nothing", True)), IN_DIGEST),
    (DIGESTED | brought((Cause.PERSON, "digest", True), (Cause.TAG, None, False)), SEND),
    (DIGESTED | brought((Cause.MENTION, None, True), (Cause.PERSON, "digest", True), mention="digest"), IN_DIGEST),
    (DIGESTED | brought((Cause.MENTION, None, True), (Cause.PERSON, "digest", True)), SEND),
    (brought((Cause.TAG, "nothing", True), FOLLOWED), SEND),
    (brought((Cause.TAG, "nothing", True), FOLLOWED, person="nothing"), Drop("off")),
    # S2: what was left or switched off is no cause; another one brings it, also to whoever never chose anything.
    (brought((Cause.PERSON, "nothing", True), (Cause.TAG, None, True)) | {"source_off": True}, SEND),
    (others((Cause.PERSON, "nothing", True), (Cause.GROUP, None, True)) | {"source_off": True}, SEND),
    (others((Cause.PERSON, "nothing", True), (Cause.GROUP, None, True)), SEND),
    (others((Cause.TAG, None, True)) | {"subscribed": False}, SEND),
    (others((Cause.TAG, None, False), box=BOX) | {"subscribed": False}, Redirect(BOX, "email")),
    (others((Cause.TAG, "nothing", True)) | {"subscribed": False}, Drop("left")),
    (others((Cause.PERSON, "nothing", True)) | {"source_off": True}, Drop("off")),
    (others((Cause.TAG, None, True)) | {"subscribed": False, "silenced": True}, Drop("silenced")),
    (others((Cause.TAG, None, True)) | {"subscribed": False, "address_off": True}, Drop("off")),
    # T3: what is wanted on the web alone is not sent, and T8: but for what is written to its reader, unless it is seen.
    (brought(FOLLOWED, person="web"), Drop("on_web")),
    (brought(FOLLOWED, prefer="web"), Drop("on_web")),
    (brought(BY_MAIL, prefer="web"), SEND),
    (brought((Cause.PERSON, "digest", True), prefer="web") | {"digest_every": "day", "now": NOON}, IN_DIGEST),
    (brought(FOLLOWED, person="web") | {"kind": "answer"}, SEND),
    (brought(FOLLOWED, person="web") | {"kind": "digest"}, SEND),
    (brought(FOLLOWED, person="web") | {"quiet": LUNCH, "now": NOON}, Drop("on_web")),
    (brought(FOLLOWED, person="web") | {"silenced": True}, Drop("silenced")),
    (brought(FOLLOWED, person="web") | {"urgent": True}, SEND),
    (brought(FOLLOWED, (Cause.TAG, None, True), person="web"), SEND),
    (brought(FOLLOWED, person="web") | UNSEEN, Drop("on_web")),
    (WRITTEN, Drop("on_web")),
    (WRITTEN | UNSEEN, Hold("unseen", NOON + MINUTES, Cause.PERSON)),
    (WRITTEN | UNSEEN | {"delayed_until": NOON + SECOND}, Hold("unseen", NOON + SECOND, Cause.PERSON)),
    (WRITTEN | UNSEEN | {"delayed_until": NOON}, SEND),
    (WRITTEN | UNSEEN | {"delayed_until": NOON, "quiet": LUNCH}, Hold("quiet", LATER, Cause.PERSON)),
    (WRITTEN | UNSEEN | {"delayed_until": NOON, "online": True, "online_until": LATER}, SEND),
    (WRITTEN | {"delayed_until": NOON, "now": NOON}, Drop("on_web")),
    (WRITTEN | UNSEEN | {"address_state": "stopped"}, Drop("opted_out")),
    (WRITTEN | UNSEEN | {"retracted": True}, Drop("retracted")),
    # T7: whoever is on the web at this moment may see it there first, once.
    (ONLINE, Hold("online", LATER, Cause.PERSON)),
    (ONLINE | {"delayed_until": NOON}, SEND),
    (ONLINE | {"urgent": True}, SEND),
    (ONLINE | {"silenced": True}, Drop("silenced")),
    (ONLINE | {"quiet": LUNCH}, Hold("quiet", LATER, Cause.PERSON)),
    (ONLINE | {"behind": True}, Hold("behind", NOON, Cause.PERSON)),
    # T2: who prefers mails gets a mail instead of a text, where a mailbox receives, and C2: once, at the mailbox.
    (brought(FOLLOWED, prefer="mail", box=BOX), Redirect(BOX, "email")),
    (brought(FOLLOWED, prefer="mail"), SEND),
    (brought(FOLLOWED, prefer="mail", box=BOX) | {"channel": EMAIL}, SEND),
    (brought((Cause.PRIVATE, None, True), prefer="mail", box=BOX) | {"in_conversation": True}, Redirect(BOX, "email")),
    (brought(FOLLOWED, prefer="mail", box=BOX) | {"kind": "answer"}, SEND),
    (brought(FOLLOWED, prefer="mail", box=BOX) | {"kind": "code"}, SEND),
    (brought(FOLLOWED, prefer="mail", box=BOX) | {"kind": "welcome"}, SEND),
    (brought(FOLLOWED, prefer="mail", box=BOX) | {"quiet": LUNCH, "now": NOON}, Redirect(BOX, "email")),
    (brought(FOLLOWED, prefer="mail", box=BOX) | {"address_off": True}, Redirect(BOX, "email")),
    (brought(FOLLOWED, prefer="mail", box=BOX) | {"address_state": "stopped"}, Drop("opted_out")),
    (brought(FOLLOWED, prefer="mail", box=BOX) | {"silenced": True}, Drop("silenced")),
    (brought(FOLLOWED, prefer="mail", box=BOX) | {"member": False}, Drop("left")),
    (brought((Cause.PERSON, "nothing", True), prefer="mail", box=BOX) | {"source_off": True}, Drop("off")),
    (brought(FOLLOWED, prefer="mail", person="nothing", box=BOX), Drop("off")),
    (DIGESTED | brought((Cause.PERSON, "digest", True), prefer="mail", box=BOX), IN_DIGEST),
    (brought(FOLLOWED, person="mail", box=BOX), Redirect(BOX, "email")),
    (brought(FOLLOWED, person="mail"), SEND),
    (brought(FOLLOWED, prefer="mail", box=BOX, on=False), Redirect(BOX, "email")),
    (brought((Cause.PRIVATE, None, True), prefer="mail", box=BOX, on=False), SEND),
    (brought((Cause.MENTION, None, True), FOLLOWED, prefer="mail", box=BOX, on=False), SEND),
    (brought((Cause.PERSON, "text", True), person="mail", box=BOX), SEND),
    (brought(BY_MAIL, person="text") | {"channel": EMAIL}, SEND),
    # T2 and C1 with pushes: to the devices, where there are any; else as a text, or as a mail of what never was one.
    (brought(FOLLOWED, prefer="push", devices=DEVICES), Redirect(DEVICES, PUSH)),
    (brought(FOLLOWED, prefer="push", box=BOX, devices=DEVICES), Redirect(DEVICES, PUSH)),
    (brought(FOLLOWED, prefer="push", box=BOX), SEND),
    (brought(FOLLOWED, person="push", devices=DEVICES), Redirect(DEVICES, PUSH)),
    (brought(FOLLOWED, person="push", box=BOX), Redirect(BOX, EMAIL)),
    (brought(FOLLOWED, person="push"), SEND),
    (brought(BY_MAIL, person="push", devices=DEVICES) | {"channel": EMAIL}, SEND),
    (brought((Cause.MENTION, "text", True), FOLLOWED, person="push", devices=DEVICES), SEND),
    (brought((Cause.PERSON, "digest", True), prefer="push", devices=DEVICES) | DIGESTS, IN_DIGEST),
    (brought((Cause.PERSON, "nothing", True), prefer="push", devices=DEVICES), Drop("off")),
    (brought(FOLLOWED, prefer="push", devices=DEVICES) | {"urgent": True}, SEND),
    (brought(FOLLOWED, prefer="push", devices=DEVICES) | {"kind": "answer"}, SEND),
    (brought(FOLLOWED, prefer="push", devices=DEVICES) | {"quiet": LUNCH, "now": NOON}, Redirect(DEVICES, PUSH)),
    (brought(FOLLOWED, prefer="push", devices=DEVICES) | {"silenced": True}, Drop("silenced")),
    (PUSHED, SEND),
    (PUSHED | {"quiet": LUNCH, "now": NOON}, Hold("quiet", LATER, Cause.PERSON)),
    (PUSHED | {"address_off": True, "off_until": LATER}, Hold("off_till", LATER, Cause.PERSON)),
    (PUSHED | {"address_off": True}, Drop("off")),
    (PUSHED | {"behind": True, "now": NOON}, Hold("behind", NOON, Cause.PERSON)),
    (PUSHED | {"address_state": "suspended"}, Drop("gone")),
    (PUSHED | {"retracted": True}, Drop("retracted")),
    (PUSHED | {"limited": True, "texts_a_day": 1}, SEND),
    # T8: a push of what is written to its reader goes to the phone as well, when it is not seen.
    (PUSHED | UNSEEN, Send(Hold("unseen", NOON + MINUTES, Cause.PERSON))),
    (brought(FOLLOWED, person="push", devices=DEVICES) | {"channel": PUSH} | UNSEEN, SEND),
    (PUSHED | UNSEEN | {"quiet": LUNCH}, Hold("quiet", LATER, Cause.PERSON)),
    (PUSHED | UNSEEN | {"channel": SMS, "delayed_until": LATER}, Hold("unseen", LATER, Cause.PERSON)),
    (PUSHED | UNSEEN | {"channel": SMS, "delayed_until": NOON}, SEND),
    (PUSHED | UNSEEN | {"channel": SMS, "delayed_until": NOON, "quiet": LUNCH}, Hold("quiet", LATER, Cause.PERSON)),
    (PUSHED | {"channel": SMS, "delayed_until": LATER, "now": NOON}, Drop("pushed")),
    (PUSHED | UNSEEN | {"channel": SMS, "delayed_until": NOON, "address_state": "stopped"}, Drop("opted_out")),
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
    ({"urgent": True, "behind": True}, SEND),
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
    ways = st.none() | st.sampled_from(WAYS)
    causes = st.lists(st.tuples(st.integers(1, 8), ways, st.booleans()), max_size=3)
    chosen = st.lists(ways, min_size=9, max_size=9)
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
        unseen_after=st.none() | st.just(MINUTES),
        delayed_until=st.none() | now_and_then,
        online_until=st.none() | moments,
        digest_every=st.none() | st.just("day"),
        timezone=st.sampled_from(("UTC", "America/New_York")) | st.text(),
        choice=st.none()
        | st.tuples(causes, chosen, st.none() | st.tuples(st.just(BOX), st.booleans())).map(json.dumps),
        **people,
        **anyhow,
    )


@given(any_facts())
def test_any_facts_are_decided_about_and_always_alike(facts: Facts) -> None:
    decision = decide(facts)
    assert isinstance(decision, Send | Redirect) or decision.reason
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
        assert isinstance(decide(facts), Drop)


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
