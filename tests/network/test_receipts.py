"""How a post went out: every state has its place in the counts and its plain words; only those who may ask hear it."""

from datetime import date

import pytest
from sqlalchemy import Engine

from gateway.carriers.twilio.error_codes import CODES
from gateway.i18n.phrases import languages, translated
from gateway.ledger.outbox import email_fallback
from gateway.ledger.outbox.outbox import Target
from gateway.mail.bounces.failure_reasons import INSTEAD, MISSED, OPTED_OUT, describe_failure
from gateway.network.follows import follows
from gateway.network.people import accounts
from gateway.network.receipts import receipts
from gateway.network.receipts.receipts import ChannelTally, ReceiptTally
from gateway.store.database import transaction
from gateway.store.tables import Post
from tests.support.delivering import change, person, post, rows
from tests.support.office import Office

STANDING = [  # state, reason, ended; as what it counts
    ("queued", None, False, "waiting"),
    ("sending", None, False, "waiting"),
    ("retry", "30003", False, "waiting"),
    ("unknown", "timeout", False, "waiting"),
    ("unknown", "timeout", True, "failed"),
    ("sent", None, True, "sent"),
    ("delivered", None, True, "delivered"),
    ("failed", "30005", True, "failed"),
    ("failed", "21610", True, "opted_out"),
    ("cancelled", "opted_out", True, "opted_out"),
    ("cancelled", "stopped", True, "opted_out"),
    ("cancelled", "off", True, "failed"),
    ("held", None, True, "later"),
    ("sent", "digest", True, "sent"),
]


@pytest.fixture
def kim(engine: Engine) -> int:
    return person(engine, "kim", phone="+14155550101")[0]


def carried(engine: Engine, message: int) -> int:
    return int(rows(engine, f"SELECT post_id FROM messages WHERE id = {message}")[0].post_id)


def stand(engine: Engine, address: int, state: str, reason: str | None, *, ended: bool) -> None:
    why, end = f"'{reason}'" if reason else "NULL", "now()" if ended else "NULL"
    change(
        engine,
        f"UPDATE deliveries SET state = '{state}', reason = {why}, ended_at = {end} WHERE address_id = {address}",
    )


def test_every_state_is_counted_in_its_channel(engine, kim):
    texts = [person(engine, f"t{n}", phone=f"+141555602{n:02}")[1] for n in range(len(STANDING))]
    mails = [person(engine, f"m{n}")[1] for n in range(3)]
    to = [Target(one, "sms") for one in texts] + [Target(one, "email") for one in mails]
    of = carried(engine, post(engine, kim, "hello", to))
    for address, (state, reason, ended, _) in zip(texts, STANDING, strict=True):
        stand(engine, address, state, reason, ended=ended)
    for address, state in zip(mails, ("sent", "delivered", "failed"), strict=True):
        stand(engine, address, state, None, ended=True)
    with transaction(engine) as session:
        told = receipts.tally(session, of)
        names = [one.handle for one in receipts.list_missed(session, of, "UTC", 99)]
    expected = {kind: sum(one[3] == kind for one in STANDING) for kind in receipts.CLASSES}
    assert told.by_channel["sms"] == ChannelTally(**expected, got=expected["sent"] + expected["delivered"])
    assert told.by_channel["email"] == ChannelTally(sent=1, delivered=1, failed=1, got=2)
    assert (told.got, told.waiting, told.later, told.missed, told.spreading) == (5, 4, 1, 7, False)
    out = [f"t{n}" for n, one in enumerate(STANDING) if one[3] in ("failed", "opted_out")]
    assert sorted(names) == sorted([*out, "m2"])
    assert told.plain()["sms"] == expected


def test_who_got_the_mail_instead_has_not_missed_it(engine, kim):
    account, phone = person(engine, "sam", phone="+14155550102")
    change(
        engine,
        "INSERT INTO addresses (account_id, channel, address, is_primary)"
        f" VALUES ({account}, 'email', 'sam@demo.example', true)",
    )
    message = post(engine, kim, "hello", [Target(phone, "sms")])
    of = carried(engine, message)
    stand(engine, phone, "failed", "30007", ended=True)
    with transaction(engine) as session:
        email_fallback.send_by_mail(session, [(message, phone)])
        told = receipts.tally(session, of)
        assert (told.instead, told.waiting, told.missed) == (1, 1, 0)
        assert receipts.list_missed(session, of, "UTC", 9) == []
    change(engine, "UPDATE deliveries SET state = 'failed', reason = '550', ended_at = now() WHERE channel = 'email'")
    with transaction(engine) as session:
        assert receipts.tally(session, of).missed == 1
        assert [one.handle for one in receipts.list_missed(session, of, "UTC", 9)] == ["sam"]
    change(engine, "UPDATE deliveries SET state = 'sent', reason = NULL WHERE channel = 'email'")
    with transaction(engine) as session:
        got = receipts.of_person(session, of, account, "UTC")
    assert got
    assert (got.channel, got.state) == ("email", "sent")


def test_followers_whom_nothing_reaches_have_missed_it(office: Office):
    """A phone that is switched off or was never confirmed makes no delivery; who muted is nobody's business."""
    bob, sam = "(SELECT id FROM accounts WHERE handle = 'bob')", "(SELECT id FROM accounts WHERE handle = 'sam')"
    kim = "(SELECT id FROM accounts WHERE handle = 'kim')"
    office.sql(f"INSERT INTO follows (follower_id, account_id, by_text) VALUES ({bob}, {kim}, true)")
    office.sql(f"UPDATE addresses SET state = 'invited' WHERE account_id = {bob}")
    office.sql(f"UPDATE addresses SET state = 'suspended' WHERE account_id = {sam}")
    office.says("kim", "starting the ACME proposal")
    office.work()
    post_id = int(str(office.sql("SELECT id FROM posts")[0][0]))
    with transaction(office.engine) as session:
        told = receipts.tally(session, post_id)
        missed_by = [(one.handle, one.reason) for one in receipts.list_missed(session, post_id, "UTC", 9)]
    assert (told.got, told.unreached, told.missed) == (1, 2, 2)
    assert missed_by == [("bob", "invited"), ("sam", "suspended")]
    office.sql(f"INSERT INTO silences (account_id, other_id, kind) VALUES ({bob}, {kim}, 'mute')")
    with transaction(office.engine) as session:
        assert receipts.tally(session, post_id).unreached == 1


@pytest.mark.parametrize("reason", sorted({*MISSED, *INSTEAD, *OPTED_OUT, *map(str, CODES)} - {"20429"}))
def test_every_reason_has_plain_words(reason):
    words = describe_failure("failed", reason, "sms")
    assert words
    assert reason not in words
    assert words != describe_failure("failed", "99999", "sms")
    for language in languages() - {"en"}:
        assert translated(words, language) != words


@pytest.mark.parametrize(
    ("state", "reason", "channel", "words"),
    [
        ("cancelled", "off", "sms", "paused for now"),
        ("cancelled", "opted_out", "sms", "opted out on May 3"),
        ("failed", "21610", "sms", "opted out on May 3"),
        ("failed", "30003", "sms", "the phone was off or out of reach"),
        ("failed", "550", "email", "the mailbox refuses it"),
        ("failed", "99999", "sms", "the carrier could not deliver it"),
        ("retry", "30003", "sms", "tried again later"),
        ("unknown", "cut", "sms", "it may not have arrived"),
        ("queued", None, "email", "not sent yet"),
    ],
)
def test_the_words_of_some(state, reason, channel, words):
    assert describe_failure(state, reason, channel, date(2026, 5, 3)) == words


def test_a_mute_reads_as_having_left():
    assert describe_failure("cancelled", "silenced", "sms") == describe_failure("cancelled", "left", "sms")


def test_only_the_author_and_the_owners_of_its_group_may_ask(office: Office):
    office.says("kim", "d pat margin is 12%")
    office.says("anne", "#board budget on friday")
    office.says("sam", "#acme hello")
    office.work()
    with transaction(office.engine) as session:
        ids = {row.handle: row.id for handle in OFFICE if (row := accounts.by_handle(session, handle))}
        said = dict(session.query(Post.text, Post.id).all())

        def asked(handle: str, **what: int) -> int | None:
            found = receipts.asked_about(session, ids[handle], **what)
            return found.id if found else None

        assert asked("kim") == said["margin is 12%"]
        assert asked("pat") is None
        assert asked("pat", group_id=ids["board"]) is None
        assert asked("anne", group_id=ids["board"]) == said["budget on friday"]
        follows.follow(session, ids["pat"], ids["board"], True, role="member")
        session.flush()
        assert asked("pat", group_id=ids["board"]) is None
        follows.follow(session, ids["pat"], ids["board"], True, role="owner")
        session.flush()
        assert asked("pat", group_id=ids["board"]) == said["budget on friday"]
        assert asked("pat", tag="friday") is None


OFFICE = ("kim", "pat", "anne", "sam", "board", "acme")


def test_a_private_message_to_a_group_is_its_authors_alone(office: Office):
    office.says("kim", "d board the raise is 3%")
    office.says("kim", "d acme the raise is 3%")
    office.work()
    with transaction(office.engine) as session:
        kim, acme = (accounts.by_handle(session, handle) for handle in ("kim", "acme"))
        assert kim
        assert acme
        follows.follow(session, kim.id, acme.id, True, role="owner")
        assert receipts.asked_about(session, kim.id, group_id=acme.id) is None


def test_the_trace_shows_the_counts(office: Office):
    office.says("kim", "starting the ACME proposal")
    office.work()
    post_id = office.sql("SELECT id FROM posts")[0][0]
    shown = office.critter("trace", str(post_id))
    assert "texts: 1 sent" in shown.output
    assert "mails: 1 sent" in shown.output
    told = office.critter("trace", str(post_id), "--json").output
    by_text = '{"sent": 1, "delivered": 0, "failed": 0, "waiting": 0, "later": 0, "on_web": 0, "opted_out": 0}'
    assert f'"receipts": {{"sms": {by_text}' in told


def test_a_tally_of_nothing():
    empty = ReceiptTally({"sms": ChannelTally(), "email": ChannelTally()}, 0, spreading=True)
    assert (empty.got, empty.waiting, empty.missed) == (0, 0, 0)
