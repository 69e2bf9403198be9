"""What comes by push: where fan-outs put it, where queued texts go, what a device shows, what goes to the phone when it
was not seen, and what becomes of it when no device takes it. The real workers; only the carriers are played."""

from collections.abc import Sequence

import pytest

from gateway.actions import seeing
from gateway.attention.causes import DeliveryCause
from gateway.carriers.common.protocol import OutboundPush, Outcome
from gateway.carriers.webpush.codes import PushOutcome, combine
from gateway.network.people import way_choices
from gateway.network.push import push_subscriptions
from gateway.network.receipts import receipts
from gateway.network.receipts.receipt_text import describe_counts
from gateway.network.web import web_sessions
from gateway.store.database import transaction
from tests.support.desk import PHONES, Desk
from tests.support.push_browsers import keys_of, person, subscribe

DELIVERED = """
    SELECT d.channel, d.state, coalesce(d.reason, '')
    FROM deliveries d JOIN addresses a ON a.id = d.address_id JOIN accounts acc ON acc.id = a.account_id
    JOIN messages m ON m.id = d.message_id AND m.kind = 'update'
    WHERE acc.handle = :who ORDER BY d.message_id, d.channel
"""


def sent(desk: Desk, who: str = "sam") -> list[tuple[object, ...]]:
    return [tuple(row) for row in desk.office.sql(DELIVERED, who=who)]


def pushed(desk: Desk) -> list[OutboundPush]:
    taken = [one for one in desk.pushes.taken if isinstance(one, OutboundPush)]
    desk.pushes.taken = []
    return taken


def shown(desk: Desk) -> list[tuple[str, str, str]]:
    return [(one.note.title, one.note.body, one.note.path) for one in pushed(desk)]


@pytest.fixture
def pushing(desk: Desk) -> Desk:
    """Sam follows Kim by text, has a device, and prefers pushes."""
    desk.pushes.answers = lambda _: PushOutcome("sent")
    desk.says("sam", "follow kim")
    subscribe(desk.office, "sam")
    desk.says("sam", "prefer push")
    assert desk.heard("sam")[-1] == (
        "Pushes instead of texts from now on. By text come only answers, codes and urgent calls. To end it: PREFER TEXT"
    )
    return desk


def test_a_device_shows_who_wrote_and_what_all_may_read(pushing: Desk) -> None:
    pushing.says("kim", "the gate is open")
    pushing.says("kim", "@sam can you come?")
    pushing.says("kim", "d sam my PIN is lost")
    [(_, _, first), second, third] = shown(pushing)
    assert (second[:2], third) == (
        ("Kim Lee", "@sam can you come?"), ("Kim Lee", "wrote to you privately.", "/private/kim"),
    )  # fmt: skip
    assert first.startswith("/updates/")
    assert pushing.heard("sam") == []
    assert sent(pushing) == [("push", "sent", "")] * 3
    pushing.clean()


def test_what_belongs_to_a_closed_group_stays_on_the_page(desk: Desk) -> None:
    desk.pushes.answers = lambda _: PushOutcome("sent")
    subscribe(desk.office, "dave")
    with transaction(desk.office.engine) as session:
        way_choices.set_way(session, person(session, "dave").id, DeliveryCause.GROUP, "push")
    desk.says("anne", "#board we buy Acme")
    assert [each[:2] for each in shown(desk)] == [("Anne Cole", "wrote in a closed group of yours.")]
    desk.clean()


def test_how_long_and_how_urgent(pushing: Desk) -> None:
    pushing.says("kim", "the gate is open")
    pushing.says("kim", "@sam come")
    first, second = pushed(pushing)
    assert (first.urgency, first.ttl, second.urgency, second.ttl) == ("normal", 14400, "high", 86400)
    assert first.topic != second.topic
    assert (first.note.unread, second.note.unread) == (0, 1)


@pytest.mark.parametrize(
    ("said", "channels"),
    [
        (["prefer text", "prefer push for kim"], ["push"]),
        (["prefer text", "prefer push for people"], ["push"]),
        (["prefer text", "prefer push for mentions"], ["sms"]),
        (["prefer nothing for kim"], ["push"]),
        (["undo"], ["sms"]),
    ],
)
def test_each_way_that_is_chosen(pushing: Desk, said: Sequence[str], channels: list[str]) -> None:
    for each in said:
        pushing.says("sam", each)
    pushing.says("kim", "the gate is open")
    found = sent(pushing)
    assert [channel for channel, _, _ in found] == channels
    assert found[0][1] == ("cancelled" if "nothing" in said[0] else "sent")
    pushing.clean()


def test_without_a_device_it_cannot_be_chosen(desk: Desk) -> None:
    desk.says("sam", "prefer push")
    desk.says("sam", "prefer push for mentions")
    none = "No device of yours gets pushes, so nothing was changed. To add one: LOGIN, then Settings"
    assert desk.heard("sam") == [none, none]


def test_when_the_last_device_is_gone_texts_come_again(pushing: Desk) -> None:
    pushing.office.sql("DELETE FROM push_subscriptions")
    pushing.office.sql("UPDATE addresses SET state = 'suspended' WHERE channel = 'push'")
    pushing.says("kim", "the gate is open")
    assert sent(pushing) == [("sms", "sent", "")]


def test_a_text_that_was_queued_goes_by_push_when_that_is_preferred(desk: Desk) -> None:
    desk.pushes.answers = lambda _: PushOutcome("sent")
    desk.says("sam", "follow kim")
    subscribe(desk.office, "sam")
    desk.office.says("kim", "the gate is open")
    desk.prepare()
    desk.says("sam", "prefer push")
    assert sent(desk) == [("push", "sent", ""), ("sms", "cancelled", "redirected")]
    assert len(shown(desk)) == 1
    desk.clean()


def test_quiet_hours_of_the_phone_hold_pushes_and_a_digest_tells_of_them(pushing: Desk) -> None:
    pushing.says("sam", "quiet 0-23:59")
    for words in ("one", "two"):
        pushing.says("kim", words)
    assert pushed(pushing) == []
    assert [state for _, state, _ in sent(pushing)] == ["held", "held"]
    pushing.says("sam", "quiet off")
    [digest] = pushed(pushing)
    assert (digest.note.title, digest.note.body, digest.urgency) == (
        "While you were quiet, 2 updates came: Kim Lee",
        "",
        "low",
    )
    pushing.clean()


def test_off_of_the_phone_is_off_of_the_devices(pushing: Desk) -> None:
    pushing.says("sam", "off")
    pushing.says("kim", "the gate is open")
    assert sent(pushing) == [("push", "cancelled", "off")]


def test_a_limit_of_texts_is_none_of_pushes(pushing: Desk) -> None:
    pushing.says("sam", "limit 1")
    for words in ("one", "two", "three"):
        pushing.says("kim", words)
    assert len(pushed(pushing)) == 3


def unseen(desk: Desk) -> Desk:
    desk.says("sam", "unseen 5m")
    assert desk.heard("sam")[-1].endswith("goes to your phone after 5 minutes. To end it: UNSEEN OFF")
    return desk


def pass_five_minutes(desk: Desk) -> None:
    desk.office.sql("UPDATE held SET until = now(), delayed_until = now() WHERE state = 'waiting'")
    desk.work()


def test_what_was_not_seen_goes_to_the_phone(pushing: Desk) -> None:
    unseen(pushing)
    pushing.says("kim", "@sam come")
    pushing.says("kim", "nothing to you")
    assert len(pushed(pushing)) == 2
    assert pushing.heard("sam") == []
    assert sent(pushing) == [("push", "sent", ""), ("sms", "held", ""), ("push", "sent", "")]
    pushing.clean()
    pass_five_minutes(pushing)
    assert pushing.heard("sam") == ["Kim Lee: @sam come"]
    pushing.says("sam", "why")
    assert pushing.heard("sam") == [
        "You had not seen it on the web for 5 minutes; UNSEEN OFF ends that. It mentions you. To stop: MUTE KIM"
    ]
    with transaction(pushing.office.engine) as session:
        [(post,)] = pushing.office.sql("SELECT post_id FROM mentions")
        tally = receipts.tally(session, post)
        assert (tally.by_channel["push"].got, tally.by_channel["sms"].got, tally.later, tally.missed) == (1, 0, 0, 0)
        assert str(describe_counts(tally)) == "2 got it (1 by mail, 1 by push)."  # priya follows kim by mail
    pushing.clean()


def test_what_was_seen_stays_where_it_is(pushing: Desk) -> None:
    unseen(pushing)
    pushing.says("kim", "@sam come")
    [(post,)] = pushing.office.sql("SELECT post_id FROM mentions")
    with transaction(pushing.office.engine) as session:
        assert seeing.mark_seen(session, person(session, "sam").id, [post]) == 1
    pass_five_minutes(pushing)
    assert pushing.heard("sam") == []
    assert sent(pushing) == [("push", "sent", ""), ("sms", "cancelled", "seen")]
    pushing.clean()


def test_undo_reaches_what_waits_for_the_phone(pushing: Desk) -> None:
    unseen(pushing)
    pushing.says("kim", "@sam come")
    pushing.says("kim", "undo")
    pass_five_minutes(pushing)
    assert pushing.heard("sam") == []
    pushing.clean()


def test_whoever_ends_it_gets_no_text_of_what_was_pushed(pushing: Desk) -> None:
    unseen(pushing)
    pushing.says("kim", "@sam come")
    pushing.heard("sam")
    pushing.says("sam", "unseen off")
    assert len(pushing.heard("sam")) == 1  # the answer
    assert sent(pushing) == [("push", "sent", ""), ("sms", "cancelled", "pushed")]
    pushing.clean()


def test_a_push_that_is_tried_again_goes_to_the_phone_once(pushing: Desk) -> None:
    unseen(pushing)
    pushing.pushes.answers = lambda _: PushOutcome("unknown", reason="500")
    pushing.says("kim", "@sam come")
    pushing.pushes.answers = lambda _: PushOutcome("sent")
    pushing.office.sql("UPDATE deliveries SET not_before = now() WHERE state = 'retry'")
    pushing.send()
    assert len(pushed(pushing)) == 2
    pass_five_minutes(pushing)
    assert pushing.heard("sam") == ["Kim Lee: @sam come"]
    pushing.clean()


def test_what_no_device_takes_goes_by_mail(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    device = subscribe(desk.office, "pat")
    desk.says("pat", "prefer push")
    desk.heard("pat")
    desk.pushes.answers = lambda _: PushOutcome("failed", reason="gone", gone=(device,))
    desk.says("kim", "the gate is open")
    desk.send()
    [mail] = desk.mailed("pat")
    assert "This came by mail because no device of yours gets pushes any more." in mail.replace("=\r\n", "")
    assert desk.office.sql("SELECT state FROM addresses WHERE channel = 'push'") == [("suspended",)]
    assert desk.office.sql("SELECT count(*) FROM push_subscriptions") == [(0,)]
    desk.says("kim", "it is shut")
    assert desk.heard("pat") == ["Kim Lee: it is shut"]
    desk.clean()


def test_devices_whose_sessions_have_ended_are_no_place_any_more(desk: Desk) -> None:
    """They end by themselves, so it shows with the next push."""
    desk.says("pat", "follow kim")
    with transaction(desk.office.engine) as session:
        pat = person(session, "pat")
        web_sessions.begin(session, pat, "code")
        [here] = web_sessions.list_open(session, pat.id)
        push_subscriptions.add(session, pat.id, keys_of(), "Firefox", here.id)
    desk.says("pat", "prefer push")
    desk.heard("pat")
    desk.office.sql("UPDATE web_sessions SET expires_at = now()")
    desk.pushes.answers = lambda push: combine(dict.fromkeys((device.id for device in push.devices), Outcome("sent")))
    desk.says("kim", "the gate is open")
    desk.send()
    assert len(desk.mailed("pat")) == 1
    desk.says("kim", "it is shut")
    assert desk.heard("pat") == ["Kim Lee: it is shut"]
    desk.clean()


@pytest.mark.parametrize("reason", ["403", "forbidden"])
def test_a_device_that_only_refuses_is_kept_and_a_mail_comes(desk: Desk, reason: str) -> None:
    desk.says("pat", "follow kim")
    subscribe(desk.office, "pat")
    desk.says("pat", "prefer push")
    desk.pushes.answers = lambda _: PushOutcome("failed", reason=reason)
    desk.says("kim", "the gate is open")
    desk.send()
    assert len(desk.mailed("pat")) == 1
    assert desk.office.sql("SELECT count(*) FROM push_subscriptions") == [(1,)]
    desk.clean()


def test_devices_are_no_place_for_anything_else(pushing: Desk) -> None:
    """Answers, urgent calls and what Critter itself has to say stay with phone and mailbox."""
    pushing.says("sam", "help")
    assert len(pushing.heard("sam")) == 1
    assert pushed(pushing) == []
    assert PHONES["sam"]
    pushing.says("kim", "who is @sam")
    assert all("push" not in each for each in pushing.heard("kim"))
