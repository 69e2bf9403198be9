"""Every usage line of the command table, said by somebody with a phone alone and by somebody with a mailbox alone."""

import re
import uuid
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import Final

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

import handlers
from gateway.inbound.commands import TABLE, CommandRegistry, build_registry
from gateway.inbound.process import process
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.network.audience import recipients
from gateway.network.follows import follows, tag_follows
from gateway.network.people import accounts, addresses
from gateway.network.posts import posts
from gateway.network.posts.posts import NewPost
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Effect, Fanout, Installation, Post
from tests.support import personas

assert handlers.MODULES
PHONE, MAILBOX = "+14155550171", "mia@demo.example"
LINES: Final = {
    "d NAME[,NAME…] text": "d kim,pat hello",
    "r text": "r on my way",
    "r ITEM text": "r k0 on my way",
    "rt": "rt",
    "rt NAME": "rt kim",
    "unmute NAME": "unmute kim",
    "follow NAME [for]": "follow pat 2d",
    "follow #TAG [for]": "follow #launch",
    "add PERSON GROUP": "add pat club",
    "join GROUP": "join sales",
    "unfollow NAME": "leave kim",
    "unfollow #TAG": "leave #win",
    "remove PERSON GROUP": "remove dave club",
    "off [NAME] [for]": "off kim 2h",
    "off [for]": "off",
    "off daily": "off daily",
    "on [NAME]": "on",
    "on daily": "on daily",
    "block NAME": "block pat",
    "mute NAME [for]": "mute kim 1d",
    "ask #GROUP text": "ask #club who has the keys?",
    "urgent #GROUP text": "urgent #club the gate is open",
    "nudge NAME": "nudge kim",
    "get [COUNT] NAME": "get 3 kim",
    "get [COUNT] #TAG": "get 2 #win",
    "whois NAME": "whois kim",
    "stats [NAME]": "stats kim",
    "who NAME": "who kim",
    "who about TOPIC": "who about acme",
    "connect": "connect",
    "connect on|off": "connect off",
    "followers": "followers",
    "following": "following",
    "groups": "groups",
    "new GROUP [open, closed, broadcast]": "new crates closed",
    "owner PERSON GROUP": "owner dave club",
    "like [NAME]": "like kim",
    "why": "why",
    "who got [NAME]": "who got",
    "who got it": "who got it",
    "who got #TAG": "who got #win",
    "report [NAME]": "report kim",
    "undo": "undo",
    "invite ADDRESS": "invite new@demo.example",
    "link CODE": "link 123456",
    "login": "login",
    "name FULLNAME": "name New Name",
    "lang LANG": "lang es",
    "ack on|off": "ack on",
    "help [VERB]": "help follow",
    "more": "more",
    "digest [TIME]": "digest 8am",
    'digest NAME|#TAG|"WORDS"': "digest kim",
    "digest now": "digest now",
    "digest on|off": "digest on",
    "digest back": "digest back",
    "zone [ZONE]": "zone tokyo",
    "zone ZONE [for]": "zone tokyo till sunday",
    "zone home": "zone home",
    "zone off": "zone off",
    "prefer [CHANNEL]": "prefer",
    'prefer WAY for NAME|CAUSE|#TAG|"WORDS"': "prefer digest for kim",
    "untrack": "untrack",
    'untrack [WORD | "a phrase"]': "untrack crates",
    "track": "track",
    'track [WORD | "a phrase"]': 'track "the crates"',
    "quiet [RANGE]": "quiet 22-7",
    "quiet off": "quiet off",
    "limit [NUMBER]": "limit 20",
    "limit off": "limit off",
    "status [LINE] [for]": "status in the workshop till 4",
    "status off": "status off",
    "unseen [MINUTES]": "unseen",
    "unseen off": "unseen off",
    "finish #GROUP": "finish #sales",
}
# What each says of its own device: the words differ, and nothing else.
BY_TEXT: Final = {"Mails are": "Texts are", "by mail": "by text", "This mailbox": "This phone"}


@dataclass(frozen=True)
class Came:
    """What became of one line."""

    intent: str | None
    answer: str | None
    effects: tuple[str, ...]
    posts: tuple[tuple[object, ...], ...]


@pytest.fixture
def company(engine: Engine) -> Engine:
    """Phil has a phone and Mia a mailbox, and all else of them is alike."""
    with transaction(engine) as session:
        session.add(Installation(mode="simulated"))
        personas.assemble(session)
        kim, dave = (accounts.by_handle(session, handle) for handle in ("kim", "dave"))
        assert kim
        assert dave
        club = accounts.create_group(session, "club", "club", "closed")
        follows.follow(session, dave.id, club.id, False, role="member")
        for handle, channel, address in (("phil", "sms", PHONE), ("mia", "email", MAILBOX)):
            person = accounts.create_person(session, handle, "Sam Hill")
            addresses.add(session, person.id, channel, address)
            follows.follow(session, person.id, kim.id, channel == "sms")
            follows.follow(session, person.id, club.id, channel == "sms", role="owner")
            tag_follows.follow(session, person.id, "win", channel == "sms", None)
        posts.publish(session, NewPost(kim, "the ACME deal is ours #win", "company", "sms"))
        for fanout in session.scalars(select(Fanout)):
            recipients.expand(session, fanout, 5, 100)
        session.execute(text("UPDATE deliveries SET state = 'sent', sent_at = now(), ended_at = now()"))
        session.execute(text("UPDATE fanouts SET state = 'done', done_at = now()"))
    return engine


def by_text(line: str) -> Incoming:
    return Incoming("sms", uuid.uuid4().bytes, PHONE, (personas.NUMBER,), b"", True, text=line)


def by_mail(line: str) -> Incoming:
    return _mail("something else", f"{line}\n\n-- \nMia Hill\nSent from my phone\n")


def by_subject(line: str) -> Incoming:
    return _mail(f"Re: {line}", "\n-- \nMia Hill\n")


def by_old_phone(line: str) -> Incoming:
    """A feature phone's mailer: a charset that nobody knows, and neither a subject nor a Message-ID."""
    head = f"From: {MAILBOX}\r\nTo: post@{personas.DOMAIN}\r\nContent-Type: text/plain; charset=x-gsm\r\n\r\n"
    return _incoming(head.encode() + line.encode() + b"\r\n")


def _mail(subject: str, body: str) -> Incoming:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = MAILBOX, f"post@{personas.DOMAIN}", subject
    mail["Message-ID"] = "<1@demo.example>"
    mail.set_content(body)
    return _incoming(mail.as_bytes())


def _incoming(raw: bytes) -> Incoming:
    raw = f"Return-Path: <{MAILBOX}>\r\n".encode() + raw
    return Incoming("email", uuid.uuid4().bytes, MAILBOX, (f"post@{personas.DOMAIN}",), raw, True)


def came(engine: Engine, world_: CommandRegistry, incoming: Incoming) -> Came:
    """Heard, looked at, and rolled back."""
    with Session(engine) as session:
        inbox.accept(session, inbox.hash_key(session), [incoming])
        row, _ = inbox.take(session, inbox.claim(session, "test", timedelta(seconds=60), 1)[0]) or (None, None)
        assert row is not None
        outcome = process(session, world_, row)
        session.flush()
        effects = session.scalars(select(Effect.kind).where(Effect.inbound_id == row.id).order_by(Effect.number))
        made = select(Post.visibility, Post.text, Post.group_id, Post.in_reply_to, Post.repeat_of)
        found = session.execute(made.where(Post.inbound_id == row.id).order_by(Post.id))
        return Came(outcome.intent, _plain(outcome.answer), tuple(effects), tuple(tuple(one) for one in found))


def _plain(answer: str | None) -> str | None:
    """Without what is new each time, and what each says of its own device."""
    if answer is None:
        return None
    answer = re.sub(r"/login/\S+|\b(?:phil|mia)\b|Reply \d{6}|(?<=till )\d\d:\d\d", "", answer)
    for mail, phone in BY_TEXT.items():
        answer = answer.replace(mail, phone)
    return answer


def test_no_usage_line_is_left_out() -> None:
    assert set(LINES) == {usage for verb in TABLE.verbs for usage in verb.usages}


def test_a_mailbox_can_do_what_a_phone_can(company: Engine, settings: Settings) -> None:
    """One database for all of them: each is rolled back."""
    world_ = build_registry(settings)
    differs: dict[str, tuple[Came, Came]] = {}
    for number, (usage, line) in enumerate(LINES.items()):
        phone = came(company, world_, by_text(line))
        assert phone.answer or phone.posts or phone.effects, usage
        for mailed in (by_mail, *(() if number % 3 else (by_subject, by_old_phone))):
            if (mail := came(company, world_, mailed(line))) != phone:
                differs[f"{usage} {mailed.__name__}"] = (phone, mail)
    assert differs == {}, "\n".join(f"{k}: {v}" for k, v in differs.items())
