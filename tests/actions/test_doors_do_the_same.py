"""Every action by text, by command line and by direct call: the rows that are left behind are the same."""

import ast
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

import handlers  # noqa: F401 - fills the table of commands
from gateway.actions import (
    ending_calls,
    following,
    group_questions,
    inviting,
    messaging,
    nudging,
    offers,
    opting_out,
    pausing,
    posting,
    profile,
    reacting,
    repeating,
    replying,
    reporting,
    silencing,
    undoing,
    urgent_calls,
)
from gateway.actions.groups import group_creation, join_requests, membership
from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import OK, PROOF, REACH
from gateway.actions.model.idempotency import once
from gateway.actions.preferences import digests, quiet_hours, text_limit, tracking, unseen, ways, zone
from gateway.attention.causes import DeliveryCause
from gateway.errors import Refused
from gateway.inbound.process import process
from gateway.language.model.reading import NamedAccount
from gateway.language.words import durations
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.network.people import accounts, addresses
from gateway.network.people.digest_settings import ON_RETURN, DigestSetting
from gateway.network.people.directory import find_named
from gateway.network.posts import timelines
from gateway.store.tables import Account, Address, Offer
from tests.support import personas
from tests.support.office import LEASE, Office

LATER: Final = "till 9"
MONDAYS: Final = DigestSetting("week", time(9), 0)
EVENINGS: Final = "mo,tu,we,th,fr,sa,su 22:00-07:00"


@dataclass
class Caller:
    """Somebody who calls actions directly, as a page or the API does; `texts` is what their phone got."""

    session: Session
    actor: Actor

    def named(self, handle: str) -> NamedAccount:
        return find_named(self.account(handle))

    def account(self, handle: str) -> Account:
        found = accounts.by_handle(self.session, handle)
        assert found
        return found

    @property
    def address(self) -> Address:
        assert self.actor.address
        return self.actor.address

    @property
    def last(self) -> Any:
        """The last item that reached them."""
        return timelines.list_received(self.session, self.address.id, 1)[0].post

    @property
    def asks(self) -> int:
        """The last update of theirs that made an offer."""
        mine = select(func.max(Offer.post_id)).where(Offer.author_id == self.actor.account.id, Offer.word.is_not(None))
        return self.session.scalar(mine) or 0

    @property
    def later(self) -> datetime:
        return self.later_in(self.actor.account.timezone)

    def later_in(self, zone: str) -> datetime:
        return durations.ends(LATER, datetime.now(ZoneInfo(zone)))


Call = Callable[[Caller], tuple[Any, ...]]


@dataclass(frozen=True)
class Row:
    """`before`: what is texted first, by whom; `texts`: what does it by text. CODE is the code that was asked for.
    `call`: the action and its arguments; `confirmed`: what the direct caller has confirmed."""

    name: str
    who: str
    texts: Sequence[str]
    call: Call
    before: Sequence[tuple[str, str]] = ()
    confirmed: frozenset[str] = frozenset()


MAY_URGE: Final = ("operator", "groups urgent dispatch on")
CALLED: Final = (MAY_URGE, ("dana", "urgent #dispatch gate 4 is closed"), ("dana", "CODE"))
QUESTION: Final = [
    ("bob", "acme called"), ("dana", "lunch with acme"), ("kim", "who has the acme numbers?"),
]  # fmt: skip
PROVED, SURE = frozenset({PROOF}), frozenset({OK})
ROWS: Final = [
    Row("post_update", "kim", ["starting the ACME proposal"],
        lambda c: (posting.post_update, "starting the ACME proposal")),
    Row("post_to_groups", "sam", ["#acme lunch is here"],
        lambda c: (posting.post_to_groups, [c.named("acme").id], "lunch is here")),
    Row("send", "kim", ["d sam the vault is open"], lambda c: (messaging.send, [c.named("sam")], "the vault is open")),
    Row("send", "sam", ["d acme lunch at one?"], lambda c: (messaging.send, [c.named("acme")], "lunch at one?")),
    Row("tell_posters", "bob", ["d dispatch gate 4 is shut"],
        lambda c: (messaging.send, [c.named("dispatch")], "gate 4 is shut")),
    Row("reply", "sam", ["r well done"], lambda c: (replying.reply, c.last.id, "well done"),
        before=[("kim", "the printer works again")]),
    Row("reply", "kim", ["r sure"], lambda c: (replying.reply, c.last.id, "sure"),
        before=[("sam", "d kim hello"), ("sam", "d kim do you have a minute?")]),
    Row("reply_publicly", "bob", ["@kim thanks for the cake"],
        lambda c: (replying.reply_publicly, None, "@kim thanks for the cake")),
    Row("repeat", "sam", ["rt"], lambda c: (repeating.repeat, c.last.id), before=[("kim", "the printer works again")]),
    Row("follow", "bob", ["follow kim"], lambda c: (following.follow, c.named("kim"))),
    Row("follow", "bob", [f"follow kim {LATER}"], lambda c: (following.follow, c.named("kim"), c.later)),
    Row("follow", "sam", ["join board"], lambda c: (following.follow, c.named("board"))),
    Row("follow_tag", "bob", ["follow #acme2"], lambda c: (following.follow_tag, "#acme2")),
    Row("unfollow", "sam", ["leave kim"], lambda c: (following.unfollow, c.named("kim"))),
    Row("unfollow_tag", "bob", ["leave #acme2"], lambda c: (following.unfollow_tag, "#acme2"),
        before=[("bob", "follow #acme2")]),
    Row("track", "bob", ["track ACME"], lambda c: (tracking.track, "ACME")),
    Row("track", "bob", ['track "Board meeting"'], lambda c: (tracking.track, "Board meeting")),
    Row("untrack", "bob", ["untrack acme"], lambda c: (tracking.untrack, "acme"), before=[("bob", "track ACME")]),
    Row("undo", "bob", ["undo"], lambda c: (undoing.undo,), before=[("bob", "track ACME")]),
    Row("undo", "bob", ["undo"], lambda c: (undoing.undo,), before=[("bob", "track ACME"), ("bob", "untrack acme")]),
    Row("set_connecting", "sam", ["connect off"], lambda c: (offers.set_connecting, False)),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "connect off")]),
    Row("ask_offered", "kim", ["1"], lambda c: (offers.ask_offered, c.asks), before=QUESTION),
    Row("undo", "kim", ["undo"], lambda c: (undoing.undo,), before=[*QUESTION, ("kim", "1")]),
    Row("turn_off", "sam", ["off"], lambda c: (pausing.turn_off, c.address)),
    Row("turn_off", "sam", [f"off {LATER}"], lambda c: (pausing.turn_off, c.address, c.later)),
    Row("turn_on", "sam", ["on"], lambda c: (pausing.turn_on, c.address), before=[("sam", "off")]),
    Row("set_hours", "sam", ["quiet 22-7"], lambda c: (quiet_hours.set_hours, c.address, EVENINGS)),
    Row("set_hours", "sam", ["quiet off"], lambda c: (quiet_hours.set_hours, c.address, None),
        before=[("sam", "quiet 22-7")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "quiet 22-7")]),
    Row("set_limit", "sam", ["limit 20"], lambda c: (text_limit.set_limit, 20)),
    Row("set_limit", "sam", ["limit off"], lambda c: (text_limit.set_limit, None), before=[("sam", "limit 20")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "limit 20"), ("sam", "limit 5")]),
    Row("set_unseen", "sam", ["unseen 5m"], lambda c: (unseen.set_unseen, 5)),
    Row("set_unseen", "sam", ["unseen off"], lambda c: (unseen.set_unseen, None), before=[("sam", "unseen 5m")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "unseen 5m"), ("sam", "unseen 9m")]),
    Row("set_digest_time", "sam", ["digest monday 9am"], lambda c: (digests.set_digest_time, MONDAYS)),
    Row("set_digest_time", "sam", ["digest back"], lambda c: (digests.set_digest_time, ON_RETURN)),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "digest back")]),
    Row("set_status", "sam", [f"status at lunch {LATER}"], lambda c: (profile.set_status, "at lunch", c.later)),
    Row("set_status", "sam", ["OK"], lambda c: (profile.set_status, "at lunch"), before=[("sam", "status at lunch")]),
    Row("end_status", "sam", ["status off"], lambda c: (profile.end_status,), before=[("sam", "status lunch 2h")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", f"status lunch {LATER}")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,),
        before=[("sam", "status lunch 2h"), ("sam", "status off")]),
    Row("set_zone", "sam", ["zone tokyo"], lambda c: (zone.set_zone, "Asia/Tokyo")),
    Row("set_zone", "sam", [f"zone tokyo {LATER}"], lambda c: (zone.set_zone, "Asia/Tokyo", c.later_in("Asia/Tokyo"))),
    Row("go_home", "sam", ["zone home"], lambda c: (zone.go_home,), before=[("sam", "zone tokyo")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "zone tokyo")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "zone tokyo"), ("sam", "zone home")]),
    Row("add_to_digest", "sam", ["digest kim"], lambda c: (digests.add_to_digest, c.named("kim"))),
    Row("end_digests", "sam", ["digest off"], lambda c: (digests.end_digests,), before=[("sam", "digest kim")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "digest monday 9am")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "digest kim")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "digest kim"), ("sam", "digest off")]),
    Row("add_tag_to_digest", "bob", ["digest #acme2"], lambda c: (digests.add_tag_to_digest, "#acme2"),
        before=[("bob", "follow #acme2")]),
    Row("add_phrase_to_digest", "bob", ['digest "board meeting"'],
        lambda c: (digests.add_phrase_to_digest, "board meeting"), before=[("bob", 'track "board meeting"')]),
    Row("undo", "bob", ["undo"], lambda c: (undoing.undo,),
        before=[("bob", "follow #acme2"), ("bob", "digest #acme2")]),
    Row("undo", "bob", ["undo"], lambda c: (undoing.undo,),
        before=[("bob", "follow #acme2"), ("bob", "digest #acme2"), ("bob", "follow #acme2")]),
    Row("undo", "bob", ["undo"], lambda c: (undoing.undo,),
        before=[("bob", "track ACME"), ("bob", 'digest "acme"'), ("bob", "untrack acme")]),
    Row("prefer", "pat", ["prefer email"], lambda c: (ways.prefer, "mail")),
    Row("prefer", "pat", ["prefer text"], lambda c: (ways.prefer, None), before=[("pat", "prefer mail")]),
    Row("prefer", "sam", ["prefer web"], lambda c: (ways.prefer, "web")),
    Row("undo", "pat", ["undo"], lambda c: (undoing.undo,), before=[("pat", "prefer web"), ("pat", "prefer mail")]),
    Row("undo", "pat", ["undo"], lambda c: (undoing.undo,), before=[("pat", "prefer mail")]),
    Row("set_cause_way", "sam", ["prefer digest for mentions"],
        lambda c: (ways.set_cause_way, DeliveryCause.MENTION, "digest")),
    Row("set_cause_way", "sam", ["prefer usual for people"],
        lambda c: (ways.set_cause_way, DeliveryCause.PERSON, None), before=[("sam", "prefer nothing for people")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "prefer digest for groups")]),
    Row("set_source_way", "pat", ["prefer mail for kim"],
        lambda c: (ways.set_source_way, c.named("kim").id, "mail"), before=[("pat", "follow kim")]),
    Row("undo", "pat", ["undo"], lambda c: (undoing.undo,),
        before=[("pat", "follow kim"), ("pat", "prefer nothing for kim")]),
    Row("set_tag_way", "bob", ["prefer nothing for #acme2"], lambda c: (ways.set_tag_way, "#acme2", "nothing"),
        before=[("bob", "follow #acme2")]),
    Row("set_phrase_way", "bob", ['prefer digest for "acme"'], lambda c: (ways.set_phrase_way, "acme", "digest"),
        before=[("bob", "track ACME")]),
    Row("turn_off_source", "sam", ["off kim"], lambda c: (pausing.turn_off_source, c.named("kim"))),
    Row("turn_on_source", "sam", ["on kim"], lambda c: (pausing.turn_on_source, c.named("kim")),
        before=[("sam", "off kim")]),
    Row("lift", "sam", ["on kim"], lambda c: (pausing.turn_on_source, c.named("kim")), before=[("sam", "mute kim")]),
    Row("block", "sam", ["block kim"], lambda c: (silencing.block, c.named("kim"))),
    Row("mute", "sam", ["mute kim"], lambda c: (silencing.mute, c.named("kim"))),
    Row("mute", "sam", [f"mute kim {LATER}"], lambda c: (silencing.mute, c.named("kim"), c.later)),
    Row("unmute", "sam", ["unmute kim"], lambda c: (silencing.unmute, c.named("kim")), before=[("sam", "block kim")]),
    Row("add", "anne", ["add sam board", "CODE"], lambda c: (membership.add, c.named("sam"), c.named("board")),
        confirmed=PROVED),
    Row("remove", "anne", ["remove dave board", "CODE"],
        lambda c: (membership.remove, c.named("dave"), c.named("board")), confirmed=PROVED),
    Row("make_owner", "anne", ["owner dave board", "CODE"],
        lambda c: (membership.make_owner, c.named("dave"), c.named("board")), confirmed=PROVED),
    Row("decide", "anne", ["1", "CODE"],
        lambda c: (_admit, c.named("sam"), c.named("board")), before=[("sam", "join board")], confirmed=PROVED),
    Row("decide", "anne", ["2"], lambda c: (_refuse, c.named("sam"), c.named("board")), before=[("sam", "join board")]),
    Row("create_group", "kim", ["OK"], lambda c: (group_creation.create_group, "garden", "open", ()),
        before=[("kim", "new garden")], confirmed=SURE),
    Row("react", "sam", ["like"], lambda c: (reacting.react, c.last.id, "like"),
        before=[("kim", "the printer works again")]),
    Row("nudge", "sam", ["nudge kim"], lambda c: (nudging.nudge, c.named("kim"))),
    Row("report_account", "sam", ["report kim"], lambda c: (reporting.report_account, c.named("kim"))),
    Row("report_post", "sam", ["report"], lambda c: (reporting.report_post, c.last.id),
        before=[("kim", "the printer works again")]),
    Row("invite", "sam", ["invite +14155550177"], lambda c: (inviting.invite, "+14155550177")),
    Row("rename", "sam", ["OK"], lambda c: (profile.rename, "Samuel Ortiz"), before=[("sam", "name Samuel Ortiz")],
        confirmed=SURE),
    Row("set_language", "sam", ["lang es"], lambda c: (profile.set_language, "es")),
    Row("set_acknowledged", "sam", ["ack on"], lambda c: (profile.set_acknowledged, True)),
    Row("set_daily_mail", "priya", ["off daily"], lambda c: (profile.set_daily_mail, False)),
    Row("opt_out", "sam", ["please stop texting me"], lambda c: (_opt_out, c.address)),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,), before=[("sam", "leave kim")]),
    Row("undo", "kim", ["undo"], lambda c: (undoing.undo,), before=[("kim", "the printer works again")]),
    Row("send_urgent", "dana", ["urgent #dispatch gate 4 is closed", "CODE"],
        lambda c: (urgent_calls.send_urgent, c.named("dispatch"), "gate 4 is closed"),
        before=[MAY_URGE], confirmed=PROVED | {REACH}),
    Row("acknowledge", "bob", ["ok"], lambda c: (urgent_calls.acknowledge, c.last.id), before=CALLED),
    Row("acknowledge", "bob", ["stuck at gate 4"], lambda c: (urgent_calls.acknowledge, c.last.id, "stuck at gate 4"),
        before=CALLED),
    Row("acknowledge", "bob", ["r stuck at gate 4"], lambda c: (replying.reply, c.last.id, "stuck at gate 4"),
        before=CALLED),
    Row("undo", "dana", ["undo"], lambda c: (undoing.undo,), before=CALLED),
    Row("ask_group", "sam", ["ask #acme who has the keys?"],
        lambda c: (group_questions.ask_group, c.named("acme"), "who has the keys?")),
    Row("end_call", "sam", ["finish #acme"], lambda c: (ending_calls.end_call, c.named("acme")),
        before=[("sam", "ask #acme who has the keys?"), ("kim", "r I have them")]),
    Row("end_call", "dana", ["finish #dispatch"], lambda c: (ending_calls.end_call, c.named("dispatch")),
        before=CALLED),
    Row("answer_question", "kim", ["r I have them"],
        lambda c: (group_questions.answer_question, c.last.id, "I have them"),
        before=[("sam", "ask #acme who has the keys?")]),
    Row("undo", "kim", ["undo"], lambda c: (undoing.undo,),
        before=[("sam", "ask #acme who has the keys?"), ("kim", "r I have them")]),
    Row("undo", "sam", ["undo"], lambda c: (undoing.undo,),
        before=[("sam", "ask #acme who has the keys?"), ("kim", "r I have them")]),
    Row("undo", "anne", ["undo", "CODE"], lambda c: (undoing.undo,),
        before=[("anne", "add sam board"), ("anne", "CODE")], confirmed=PROVED),
]  # fmt: skip


def _admit(session: Session, actor: Actor, person: NamedAccount, group: NamedAccount) -> join_requests.Decision:
    return join_requests.decide(session, actor, person, group, admit=True)


def _refuse(session: Session, actor: Actor, person: NamedAccount, group: NamedAccount) -> join_requests.Decision:
    return join_requests.decide(session, actor, person, group, admit=False)


def _opt_out(session: Session, actor: Actor, address: Address) -> bool:
    actor.said = "please stop texting me"
    return opting_out.opt_out(session, actor, address, personas.NUMBER)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name}: {row.texts[0]}")
def test_an_action_leaves_the_same_rows_by_every_door(office: Office, row: Row) -> None:
    for who, words in row.before:
        _prepare(office, who, words)
    with _rolled_back(office) as session:
        before = _rows(session)
    with _rolled_back(office) as session:
        _say(session, office, "sms", row)
        by_text = _rows(session)
    with _rolled_back(office) as session:
        _say(session, office, "cli", row)
        by_command_line = _rows(session)
    with _rolled_back(office) as session:
        _call(session, office, row)
        by_call = _rows(session)
    assert by_text != before
    assert by_text == by_command_line
    assert by_text == by_call


def _prepare(office: Office, who: str, words: str) -> None:
    if who == "operator":
        assert office.critter(*words.split()).exit_code == 0
        return
    answer = office.sql("SELECT text FROM messages WHERE kind = 'answer' ORDER BY id DESC LIMIT 1")
    office.says(who, _filled(words, str(answer[0][0]) if answer else ""))
    office.work()


def _filled(words: str, answer: str) -> str:
    """CODE is the code that the last answer has."""
    found = re.search(r"\b\d{6}\b", answer)
    return words.replace("CODE", found[0]) if found else words


@contextmanager
def _rolled_back(office: Office) -> Iterator[Session]:
    with office.engine.connect() as connection, Session(bind=connection) as session:
        yield session
        session.rollback()


def _say(session: Session, office: Office, channel: str, row: Row) -> None:
    answer = ""
    for words in row.texts:
        known = next(each for each in personas.PEOPLE if each.handle == row.who)
        writes = "email" if channel == "sms" and known.phone is None else channel
        sender = {"sms": known.phone, "cli": known.handle, "email": known.mailbox}[writes]
        said, raw = _filled(words, answer), b""
        if writes == "email":
            raw = f"From: {sender}\nTo: post@{personas.DOMAIN}\nSubject: \n\n{said}\n".encode()
        to = f"post@{personas.DOMAIN}" if writes == "email" else personas.NUMBER
        incoming = Incoming(writes, uuid.uuid4().bytes, str(sender), (to,), raw, True, uuid.uuid4().hex, said)
        inbox.accept(session, inbox.hash_key(session), [incoming])
        answer = _read(session, office)


def _read(session: Session, office: Office) -> str:
    (one,) = inbox.claim(session, "test", LEASE, 10)
    taken, _ = inbox.take(session, one) or (None, None)
    assert taken is not None
    outcome = process(session, office.registry, taken)
    inbox.finish(session, taken, outcome.state, outcome.intent, outcome.reason, outcome.account_id)
    assert outcome.state == "done", outcome.reason
    return outcome.answer or ""


def _call(session: Session, office: Office, row: Row) -> None:
    """Calls it twice with one idempotency key: the result is the same, and it is done once."""
    results = []
    for _ in range(2):
        account = accounts.by_handle(session, row.who)
        assert account
        address = addresses.primary(session, account.id, "sms") or addresses.primary(session, account.id, "email")
        actor = Actor(account, "api", office.settings, office.registry.signer, address, confirmed=row.confirmed)
        if not results:
            action, *args = row.call(Caller(session, actor))
        results.append(once(session, actor, "one key", action, *args))
        session.flush()
        left = _rows(session)
        if len(results) == 1:
            first = left
    assert results[0] == results[1]
    assert left == first


LEFT: Final = {
    "follows": """SELECT w.handle, s.handle, f.role, f.state, f.by_text, f.off, f.off_until, f.expires_at,
        f.way FROM follows f
        JOIN accounts w ON w.id = f.follower_id JOIN accounts s ON s.id = f.account_id""",
    "tags": """SELECT w.handle, t.tag, f.by_text, f.expires_at, f.way FROM topic_follows f
        JOIN accounts w ON w.id = f.follower_id JOIN topics t ON t.id = f.topic_id""",
    "tracks": """SELECT w.handle, t.phrase, t.shown, f.by_text, f.expires_at, f.way FROM trackers f
        JOIN accounts w ON w.id = f.follower_id JOIN tracks t ON t.id = f.track_id""",
    "silences": """SELECT w.handle, s.handle, f.kind, f.expires_at FROM silences f
        JOIN accounts w ON w.id = f.account_id JOIN accounts s ON s.id = f.other_id""",
    "posts": """SELECT w.handle, g.handle, p.visibility, p.text, above.text, first.text, p.attached,
               p.deleted_at IS NOT NULL
        FROM posts p JOIN accounts w ON w.id = p.author_id LEFT JOIN accounts g ON g.id = p.group_id
        LEFT JOIN posts above ON above.id = p.in_reply_to LEFT JOIN posts first ON first.id = p.repeat_of""",
    "recipients": """SELECT a.handle, n.handle FROM post_recipients r JOIN accounts a ON a.id = r.account_id
        JOIN accounts n ON n.id = r.named_id""",
    "reactions": """SELECT a.handle, r.kind, p.text FROM reactions r JOIN accounts a ON a.id = r.account_id
        JOIN posts p ON p.id = r.post_id""",
    "fanouts": """SELECT s.handle, p.text, f.state FROM fanouts f LEFT JOIN accounts s ON s.id = f.source_id
        JOIN posts p ON p.id = f.post_id""",
    "messages": """SELECT m.kind, m.text, a.address, d.channel, d.state FROM messages m
        LEFT JOIN deliveries d ON d.message_id = m.id LEFT JOIN addresses a ON a.id = d.address_id
        WHERE m.kind NOT IN ('answer', 'code')""",
    "effects": """SELECT a.handle, e.kind, CAST(e.detail AS text), e.undone_at IS NOT NULL FROM effects e
        JOIN actions d ON d.id = e.action_id JOIN accounts a ON a.id = d.account_id WHERE e.kind <> 'asked'""",
    "offers": """SELECT p.text, o.word, a.handle, w.asked_at IS NOT NULL, asked.text FROM offers o
        JOIN posts p ON p.id = o.post_id LEFT JOIN offer_people w ON w.post_id = o.post_id
        LEFT JOIN accounts a ON a.id = w.account_id LEFT JOIN posts asked ON asked.id = w.asked_by""",
    "attention": """SELECT a.handle, w.digest_every, w.digest_at, w.digest_weekday, w.digest_back, w.connects,
        w.texts_a_day, w.unseen_after, w.prefer, w.private, w.mention, w.reply, w.tracked, w."group", w.person, w.tag,
        w.broadcast
        FROM attention w
        JOIN accounts a ON a.id = w.account_id""",
    "zones": """SELECT a.handle, z.zone, z.until, a.zone_since IS NOT NULL FROM zones_now z
        JOIN accounts a ON a.id = z.account_id""",
    "accounts": "SELECT handle, name, language, ack, daily, state, access FROM accounts",
    "addresses": "SELECT address, state, receiving, off_until, quiet, stopped_at IS NOT NULL FROM addresses",
    "audit": "SELECT actor, action, CAST(detail AS text) FROM audit",
    "calls": """SELECT w.handle, g.handle, p.text, c.kind, c.ending FROM calls c JOIN posts p ON p.id = c.post_id
        JOIN accounts w ON w.id = c.asker_id JOIN accounts g ON g.id = c.group_id""",
    "answers to calls": """SELECT w.handle, p.step, p.answered_at IS NOT NULL, p.late, p.text, p.gone,
        p.retracted_at IS NOT NULL FROM call_people p JOIN accounts w ON w.id = p.account_id""",
    "statuses": "SELECT a.handle, s.words, s.until FROM statuses s JOIN accounts a ON a.id = s.account_id",
    "nudges": "SELECT count(*) FROM nudges",
    "reports": "SELECT count(*), count(closed_at) FROM reports",
    "invitations": "SELECT count(*) FROM invitations",
}


def _rows(session: Session) -> dict[str, list[str]]:
    """Without the ids of new rows."""
    found = {name: map(str, session.execute(text(query)).all()) for name, query in LEFT.items()}
    return {name: sorted(re.sub(r"\d{15,}", "ID", each) for each in rows) for name, rows in found.items()}


HELPERS: Final = {
    "active_group", "append", "append_part", "publish", "confirm_repeat", "confirm_reach", "estimate", "estimate_wide",
    "check_reaches", "amend",
    "acknowledge_by_reaction", "did", "tell", "describe_removal", "describe_request", "ask_owners", "question",
    "opt_in", "upload", "attach", "wake", "state_of",
    "mark_seen", "mark_answered", "send_digest", "bring_back", "reschedule", "begin", "end_first", "tracked_id",
    "pack", "give_way", "check_place",
    "take_back", "unlike", "confirm_public",  # of pages alone: a text names no update by its id, and the grammar asks
    "send_code", "take_code", "make_main", "remove_address", "try_mailbox", "send_digits", "why_wrong",
    "send_pin_code", "change_pin", "remove_pin", "send_test", "rename_group", "describe_upload", "forget_upload",
}  # fmt: skip


def test_every_action_is_in_the_table() -> None:
    """Those that take back are behind `undo`; opt_in, upload, attach, mark_seen, send_digest and bring_back have tests
    of their own. What is changed on pages alone is tried in tests/doors/web:
    own phones, mailboxes and PINs, pushes, the name of a group; files also in tests/doors/api/test_media.py."""
    folder = Path(following.__file__).parent
    defined = {
        node.name
        for path in (*folder.glob("*.py"), *folder.glob("preferences/*.py"), *folder.glob("groups/*.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith(("_", "undo_"))
    }
    assert defined - HELPERS == {row.name for row in ROWS}


def test_a_refusal_has_a_reason_and_facts(office: Office) -> None:
    with _rolled_back(office) as session:
        kim = accounts.by_handle(session, "kim")
        assert kim
        actor = Actor(kim, "api", office.settings, office.registry.signer)
        with pytest.raises(Refused) as refused:
            following.follow(session, actor, find_named(kim))
        assert (refused.value.reason, refused.value.facts) == ("self", {})
        sam = accounts.by_handle(session, "sam")
        assert sam
        with pytest.raises(Refused) as refused:
            pausing.turn_off_source(session, actor, find_named(sam), None)
        assert (refused.value.reason, refused.value.facts) == ("nothing_to_turn_off", {"name": "Sam Ortiz"})
        assert str(refused.value) == "You do not follow Sam Ortiz, so there is nothing to turn off."
