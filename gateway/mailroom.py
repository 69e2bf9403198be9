"""Sorts an accepted mail by the addresses it came to: what it says and to whom. `listening` calls it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.message import Message
from typing import Any, Literal

from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from gateway.commands import World
from gateway.errors import Refused
from gateway.identity import arrival
from gateway.language import grammar, letters, mime
from gateway.language.named import Context, Named, Privacy, Reading
from gateway.language.phrases import say
from gateway.language.private import private_reading
from gateway.network import accounts, confirmations, contexts, notices, recipients, unsubscribing
from gateway.network.directory import named
from gateway.store.tables import Account, Address, Inbound, Post

log = logging.getLogger(__name__)

FOREIGN = "this address was made for somebody else"
NULL_SENDER = b"Return-Path: <>"
TO_ALL = "post"
TO_OPERATOR = ("postmaster", "abuse")
TOKENS = ("reply", "unsubscribe", "bounce", "confirm")
# What a mail to a group, a person or a reply address may still be read as, instead of as words for them.
FIRST = ("optout", "optin", "help", "direct", "ask", "error", "choice")


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail as its writer meant it; `machine` says why no person wrote it."""

    text: str
    subject: str
    machine: str | None
    message: "Message[Any, Any] | None" = None
    forwarded: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail that is not read as words: how its row ends."""

    state: Literal["done", "held", "dropped"]
    intent: str | None
    reason: str
    rings: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Addressees:
    """Who a mail is for, by the local parts of its recipients."""

    everyone: bool
    help: bool
    operator: bool
    groups: tuple[Account, ...]
    people: tuple[Account, ...]
    tokens: tuple[tuple[str, tuple[int, ...]], ...]
    gone: tuple[str, ...]


def opened(inbound: Inbound) -> Opened:
    """The writer's own words, without quotes and signature."""
    raw = inbound.raw or b""
    try:
        message = mime.opened(arrival.read(raw).mail)
        letter = letters.words(message)
    except Refused as refused:
        return Opened("", "", str(refused))
    machine = letters.machine(message, raw.startswith(NULL_SENDER))
    return Opened(letter.text, letter.subject, machine, message, letter.forwarded)


def machine(world: World, inbound: Inbound, mail: Opened) -> str | None:
    """Why no person wrote it: the signs of the mail itself, or a From of our own domain, where nobody's mailbox is."""
    ours = inbound.sender.rpartition("@")[2] == world.settings.mail_domain
    return mail.machine or ("our own address" if ours else None)


def sort(
    session: Session, world: World, inbound: Inbound, mail: Opened, address: Address, account: Account
) -> Kept | Reading:
    """How the mail reads for those it came to, or why it is kept."""
    to = _addressees(session, world, inbound.recipients)
    if to.operator:
        return Kept("held", None, "for the operator")
    for kind, ids in to.tokens:
        kept = _kept_by_token(session, inbound, kind, ids, address, mail.text)
        if kept:
            return kept
    # An address of its own says what is answered; only a mail to post@ goes on with the talk.
    context = contexts.context(session, address) if to.everyone else Context()
    resolver = contexts.resolver(session, account.id)
    plain = grammar.read(mail.text, "email", world.verbs, resolver, context)
    if plain.intent == "update" and mail.subject != mail.text:
        plain = private_reading(f"{mail.subject} {mail.text}", resolver) or plain  # "d kim" stood in the subject
    return _addressed(session, to, plain, mail)


def _addressees(session: Session, world: World, given: Sequence[str]) -> Addressees:
    locals_ = [recipient.rpartition("@")[0].lower() for recipient in given]
    tokens = {local: token for local in locals_ if (token := _token(world, local))}
    named_ = [local for local in locals_ if local not in (TO_ALL, "help", *TO_OPERATOR, *tokens)]
    found = {local: accounts.by_handle(session, local) for local in named_}
    there = [account for account in found.values() if account]
    return Addressees(
        everyone=TO_ALL in locals_,
        help="help" in locals_,
        operator=any(local in TO_OPERATOR for local in locals_),
        groups=tuple(account for account in there if account.kind == "group"),
        people=tuple(account for account in there if account.kind == "person"),
        tokens=tuple(tokens.values()),
        gone=tuple(local for local, account in found.items() if account is None),
    )


def _token(world: World, local: str) -> tuple[str, tuple[int, ...]] | None:
    found = recipients.read(local, world.signer)
    return (found.kind, found.ids) if found and found.kind in TOKENS else None


def _kept_by_token(
    session: Session, inbound: Inbound, kind: str, ids: tuple[int, ...], address: Address, words: str
) -> Kept | None:
    """What a token alone decides. A forwarded mail's tokens do nothing for somebody else."""
    owner = session.get(Address, ids[1])
    if kind == "confirm":
        mine = owner is not None and owner.id == address.id
        return Kept("done", "confirm", confirmations.answered(session, ids[0], address, words) if mine else FOREIGN)
    if owner is None or owner.account_id != address.account_id:
        return _foreign(session, inbound, owner)
    if kind == "unsubscribe" and address.account_id is not None:
        if ending := unsubscribing.pair(session, ids[0], ids[1]):
            unsubscribing.end(session, ending)
        return Kept("done", "unfollow", "mail to the address that ends this follow")
    return None


def _foreign(session: Session, inbound: Inbound, owner: Address | None) -> Kept:
    """Refused and logged; whoever it was made for hears of it, once a day for each who tries (R31). A forwarded mail
    gives its reader nothing."""
    log.warning("a token was used by somebody else: inbound %s", inbound.id)
    told_before = session.scalar(TRIED_BEFORE, {"sender": inbound.sender, "id": inbound.id, "reason": FOREIGN})
    if owner is None or owner.account_id is None or told_before:
        return Kept("dropped", None, FOREIGN)
    told = say(
        "Somebody else wrote to a reply address that is yours alone. Nothing was posted. Did you forward a mail of "
        "Critter's?"
    )
    return Kept("dropped", None, FOREIGN, notices.tell(session, [owner.account_id], told))


TRIED_BEFORE = sql("""
    SELECT EXISTS (SELECT FROM inbound WHERE channel = 'email' AND sender = :sender AND id < :id
                   AND id >= id_at(now() - interval '1 day') AND state NOT IN ('new', 'working') AND reason = :reason)
""")


def _addressed(session: Session, to: Addressees, plain: Reading, mail: Opened) -> Kept | Reading:
    if to.gone:  # accepted while they were there; what was meant for them is for nobody else
        called = say("that address") if "+" in to.gone[0] else to.gone[0]
        return Reading("error", reason=say("{name} is not here any more. Nothing was posted or sent", name=called))
    answering = next((ids[0] for kind, ids in to.tokens if kind == "reply"), None)
    if answering and (to.people or to.groups or to.everyone):
        to = _with_answered(session, to, answering)
    special = bool(to.groups or to.people or answering)
    if to.help and not special and not to.everyone:
        return Reading("help", reason="mail to help@")
    if not special:
        return plain
    if to.people and (to.groups or to.everyone):
        return _mixed(to.people, mail.text)
    if plain.intent in FIRST and (plain.privacy == "direct" or plain.intent in ("optout", "optin")):
        return plain
    if to.people:
        return _to("direct", to.people, mail.text, "mail to a person is private")
    if to.groups:
        return _to("group", to.groups, mail.text, "mail to a group")
    return _reply(session, mail.text, answering)


def _with_answered(session: Session, to: Addressees, answering: int) -> Addressees:
    """Whoever a reply that also goes elsewhere was for: the writer of a private item, the group of a closed one."""
    post = session.get(Post, answering)
    group = accounts.by_id(session, post.group_id) if post and post.group_id else None
    author = accounts.by_id(session, post.author_id) if post and post.visibility == "direct" else None
    groups = (group,) if group and group.access == "closed" else ()
    people = (author,) if author else ()
    return replace(to, groups=_once(*to.groups, *groups), people=_once(*to.people, *people))


def _once(*accounts_: Account) -> tuple[Account, ...]:
    return tuple(dict.fromkeys(accounts_))


def _mixed(people: Sequence[Account], text: str) -> Reading:
    """Kept, and its writer asked: privately to the person, or an update?"""
    names = tuple(named(account) for account in people)
    handles = ",".join(name.handle for name in names)
    reason = say("This mail went both to people and to everyone")
    near = names if len(names) == 1 else ()
    return Reading("ask", (handles, text), "direct", reason, "d", (), text, near)


def _to(intent: Literal["direct", "group"], accounts_: Sequence[Account], text: str, reason: str) -> Reading:
    names: tuple[Named, ...] = tuple(named(account) for account in accounts_)
    handles = ",".join(name.handle for name in names)
    return Reading(intent, (handles, text), intent, reason, names=names, text=text)


def _reply(session: Session, text: str, answering: int | None) -> Reading:
    post = session.get(Post, answering) if answering else None
    privacy: Privacy = "direct" if post and post.visibility == "direct" else "company"
    return Reading("reply", (text,), privacy, "a reply by mail", text=text, post=answering)
