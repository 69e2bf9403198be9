"""What happens while something waits for its reader: each change before it is put into a digest, between that and the
claim, while a carrier has the digest in hand, and after it was sent. The real workers; the carrier is played."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from gateway.carriers.common.protocol import OutboundEmail, Outcome, Text
from gateway.ledger.outbox import cancellations
from gateway.network.people import accounts, addresses
from gateway.network.verification import number_lifecycle
from gateway.store.database import transaction
from gateway.store.tables import Account, Address
from tests.support.desk import Desk, asleep

Change = Callable[[Desk], None]
AWAKE = "UPDATE addresses SET quiet = NULL, quiet_since = NULL"
DUE = "UPDATE held SET until = now() WHERE state = 'waiting'"
AGAIN = "UPDATE deliveries SET not_before = now() WHERE state = 'retry'"
KIMS, BOBS = ("first thing", "second thing"), "can you open at six"


def by(handle: str, words: str) -> Change:
    """Says it, and has it read; nothing is sent meanwhile."""

    def change(desk: Desk) -> None:
        desk.office.says(handle, words)
        assert desk.office.read()

    return change


def account(desk: Desk, change: Callable[..., object], handle: str) -> None:
    with transaction(desk.office.engine) as session:
        change(session, session.scalars(select(Account.id).where(Account.handle == handle)).one())


def suspend_phone(desk: Desk) -> None:
    with transaction(desk.office.engine) as session:
        number_lifecycle.suspend(session, phone(session, "sam"), "silent")


def retire_phone(desk: Desk) -> None:
    with transaction(desk.office.engine) as session:
        addresses.retire(session, phone(session, "sam"))


def phone(session, handle: str) -> Address:  # type: ignore[no-untyped-def]
    mine = select(Address).join(Account, Account.id == Address.account_id)
    return session.scalars(mine.where(Account.handle == handle, Address.channel == "sms")).one()


# What ends Kim's items alone, and what ends all that waits for Sam; with the reasons that they get.
OF_KIM = {
    "block": (by("sam", "block kim"), {"silenced"}),
    "blocked": (by("kim", "block sam"), {"silenced"}),
    "mute": (by("sam", "mute kim"), {"silenced"}),
    "leave": (by("sam", "leave kim"), {"left"}),
    "off": (by("sam", "off kim"), {"off"}),
    "suspended": (lambda desk: account(desk, accounts.suspend, "kim"), {"suspended"}),
}
OF_SAM = {
    "stop": (by("sam", "stop"), {"stopped", "opted_out"}),
    "deactivated": (lambda desk: account(desk, accounts.deactivate, "sam"), {"deactivated", "suspended"}),
    "away": (lambda desk: account(desk, accounts.suspend, "sam"), {"suspended"}),
    "phone suspended": (suspend_phone, {"suspended"}),
    "phone retired": (retire_phone, {"suspended", "deactivated", "retired"}),
}


def three_wait(desk: Desk) -> None:
    """Two updates of Kim's and a private one of Bob's, for Sam."""
    asleep(desk, *KIMS)
    desk.says("bob", "d sam " + BOBS)
    assert [row[0] for row in desk.states()] == ["waiting"] * 3
    desk.office.sql(AWAKE)
    desk.office.sql(DUE)


def sent(desk: Desk) -> str:
    """All that went to Sam's phone since the last call."""
    return "\n".join(desk.heard("sam"))


def at_the_carrier(desk: Desk, change: Change, state: str) -> None:
    """The change comes while the carrier has the digest in hand, which then answers so."""
    left = [change]

    def answer(parcel: Text | OutboundEmail) -> Outcome:
        if left and "While you were quiet" in str(getattr(parcel, "body", "")):
            left.pop()(desk)
            return Outcome(state, reason="30003") if state == "retry" else desk.texts.accept(parcel)
        return desk.texts.accept(parcel)

    desk.texts.answers = answer


def settled(desk: Desk) -> None:
    """Nothing waits any more, and the books agree."""
    assert desk.office.sql("SELECT state FROM held WHERE state IN ('waiting', 'folded')") == []
    assert desk.office.sql("SELECT state FROM deliveries WHERE state = 'held' OR ended_at IS NULL") == []
    desk.clean()


@pytest.mark.parametrize("folded", [False, True], ids=["before it is folded", "before the claim"])
@pytest.mark.parametrize("what", OF_KIM)
def test_what_ends_some_items_leaves_the_others(desk: Desk, what: str, folded: bool) -> None:
    change, reasons = OF_KIM[what]
    three_wait(desk)
    if folded:
        desk.fold()
    change(desk)
    desk.send()
    heard = sent(desk)
    assert BOBS in heard
    assert not any(words in heard for words in KIMS)
    assert {row[2] for row in desk.states()} == {None, *reasons}
    settled(desk)


@pytest.mark.parametrize("what", OF_KIM)
def test_what_ends_some_items_counts_for_the_next_try(desk: Desk, what: str) -> None:
    change, _ = OF_KIM[what]
    three_wait(desk)
    at_the_carrier(desk, change, "retry")
    desk.send()
    heard = sent(desk)
    assert all(words in heard for words in (*KIMS, BOBS))  # it was in the carrier's hands already
    desk.office.sql(AGAIN)
    desk.send()
    heard = sent(desk)
    assert BOBS in heard
    assert not any(words in heard for words in KIMS)
    settled(desk)


@pytest.mark.parametrize("folded", [False, True], ids=["before it is folded", "before the claim"])
@pytest.mark.parametrize("what", OF_SAM)
def test_what_ends_all_items_sends_none(desk: Desk, what: str, folded: bool) -> None:
    change, reasons = OF_SAM[what]
    three_wait(desk)
    if folded:
        desk.fold()
    change(desk)
    desk.send()
    heard = sent(desk)
    assert not any(words in heard for words in (*KIMS, BOBS))
    assert {row[2] for row in desk.states()} <= reasons
    settled(desk)


@pytest.mark.parametrize("what", OF_SAM)
def test_what_ends_all_items_ends_the_next_try(desk: Desk, what: str) -> None:
    change, _ = OF_SAM[what]
    three_wait(desk)
    at_the_carrier(desk, change, "retry")
    desk.send()
    sent(desk)
    desk.office.sql(AGAIN)
    desk.send()
    assert not any(words in sent(desk) for words in (*KIMS, BOBS))
    settled(desk)


@pytest.mark.parametrize("what", [*OF_KIM, *OF_SAM])
def test_what_left_while_it_changed_has_left_once(desk: Desk, what: str) -> None:
    change, _ = {**OF_KIM, **OF_SAM}[what]
    three_wait(desk)
    at_the_carrier(desk, change, "sent")
    desk.send()
    assert sent(desk).count(KIMS[0]) == 1
    desk.send()
    assert KIMS[0] not in sent(desk)
    assert [row[0] for row in desk.states()] == ["sent"] * 3
    settled(desk)


@pytest.mark.parametrize("what", [*OF_KIM, *OF_SAM])
def test_a_change_after_it_was_sent_changes_nothing(desk: Desk, what: str) -> None:
    change, _ = {**OF_KIM, **OF_SAM}[what]
    three_wait(desk)
    desk.send()
    sent(desk)
    change(desk)
    desk.send()
    assert KIMS[0] not in sent(desk)
    assert [row[0] for row in desk.states()] == ["sent"] * 3
    settled(desk)


@pytest.mark.parametrize("folded", [False, True], ids=["before it is folded", "before the claim"])
@pytest.mark.parametrize(("words", "gone"), [("undo", KIMS[1:]), ("d sam", ())])
def test_an_undo_takes_out_its_item_alone(desk: Desk, folded: bool, words: str, gone: tuple[str, ...]) -> None:
    three_wait(desk)
    if folded:
        desk.fold()
    by("kim", words)(desk)
    desk.send()
    heard = sent(desk)
    assert [each in heard for each in (*KIMS, BOBS)] == [each not in gone for each in (*KIMS, BOBS)]
    settled(desk)


@pytest.mark.parametrize("again", ["start", "yes"])
def test_who_opts_in_again_does_not_get_what_waited_before(desk: Desk, again: str) -> None:
    """As what was on its way when somebody opted out: it has ended."""
    three_wait(desk)
    by("sam", "stop")(desk)
    by("sam", again)(desk)
    desk.send()
    assert not any(words in sent(desk) for words in (*KIMS, BOBS))
    settled(desk)


def test_a_suspended_author_who_is_back_does_not_get_it_sent(desk: Desk) -> None:
    three_wait(desk)
    account(desk, accounts.suspend, "kim")
    account(desk, accounts.restore, "kim")
    desk.send()
    heard = sent(desk)
    assert BOBS in heard
    assert not any(words in heard for words in KIMS)
    settled(desk)


def test_what_waited_for_a_suspended_phone_goes_by_mail(desk: Desk) -> None:
    desk.office.sql(
        "INSERT INTO addresses (account_id, channel, address, is_primary)"
        " SELECT id, 'email', 'sam@demo.example', true FROM accounts WHERE handle = 'sam'"
    )
    three_wait(desk)
    suspend_phone(desk)
    desk.send()
    mails = "\n".join(desk.mailed("sam"))
    assert all(words in mails for words in (*KIMS, BOBS))
    assert sent(desk) == ""
    settled(desk)


def test_a_new_primary_phone_changes_nothing_for_what_waited(desk: Desk) -> None:
    """It waited for the phone that it was for, which is still Sam's, and comes there once."""
    three_wait(desk)
    with transaction(desk.office.engine) as session:
        sam = accounts.by_handle(session, "sam")
        assert sam
        new = addresses.add(session, sam.id, "sms", "+14155550177")
        addresses.make_primary(session, new)
    desk.send()
    assert sent(desk).count(KIMS[0]) == 1
    assert not [one for one in desk.texts.taken if isinstance(one, Text) and one.recipient == "+14155550177"]
    settled(desk)


def test_a_group_that_closes_keeps_its_words_from_whoever_is_no_member(desk: Desk) -> None:
    """Sam hears #launch, which is in a post to an open group; the group is closed before his quiet hours end."""
    desk.says("sam", "follow #launch")
    asleep(desk)
    desk.says("kim", "#acme the #launch is on friday")
    desk.says("bob", "d sam " + BOBS)
    desk.office.sql("DELETE FROM follows WHERE follower_id = (SELECT id FROM accounts WHERE handle = 'sam')")
    desk.office.sql("UPDATE accounts SET access = 'closed' WHERE handle = 'acme'")
    desk.office.sql(AWAKE)
    desk.office.sql(DUE)
    desk.send()
    heard = sent(desk)
    assert BOBS in heard
    assert "launch is on friday" not in heard
    settled(desk)


def test_quiet_hours_that_begin_again_hold_the_digest_back(desk: Desk) -> None:
    """The digest was made and then quiet hours were set again: its items wait for their new end, in a new digest."""
    three_wait(desk)
    desk.fold()
    by("sam", "quiet 0-23:59")(desk)
    desk.send()
    assert "While you were quiet" not in sent(desk)
    assert [row[0] for row in desk.states()] == ["waiting"] * 3
    desk.says("sam", "quiet off")
    assert sent(desk).count("While you were quiet, 3 updates came:") == 1
    settled(desk)


def test_quiet_off_while_the_digest_is_about_to_leave_sends_it_once(desk: Desk) -> None:
    three_wait(desk)
    desk.fold()
    by("sam", "quiet off")(desk)
    desk.send()
    assert sent(desk).count(KIMS[0]) == 1
    settled(desk)


def test_what_is_passed_on_does_not_come_to_whom_the_original_waits_for(desk: Desk) -> None:
    desk.says("sam", "follow bob")
    desk.says("bob", "follow kim")
    asleep(desk, KIMS[0])
    desk.says("bob", "rt kim")
    assert desk.office.sql("SELECT count(*) FROM posts WHERE repeat_of IS NOT NULL") == [(1,)]
    assert [row[0] for row in desk.states()] == ["waiting"]
    desk.says("sam", "quiet off")
    assert sent(desk).count(KIMS[0]) == 1
    settled(desk)


def test_a_mailbox_that_is_switched_off_gets_nothing_of_what_waited(desk: Desk) -> None:
    """Mails there came back too often."""
    desk.office.sql(
        "UPDATE addresses SET quiet = 'mo,tu,we,th,fr,sa,su 00:00-23:59', quiet_since = now()"
        " WHERE address = 'priya@demo.example'"
    )
    for words in KIMS:
        desk.says("kim", words)
    assert [row[0] for row in desk.states()] == ["waiting"] * 2
    with transaction(desk.office.engine) as session:
        mailbox = session.scalars(select(Address).where(Address.address == "priya@demo.example")).one()
        cancellations.cancel_open(session, select(Address.id).where(Address.id == mailbox.id), "bouncing")
    assert {row[2] for row in desk.states()} == {"bouncing"}
    desk.office.sql(AWAKE)
    desk.send()
    assert desk.mailed("priya") == []
    settled(desk)
