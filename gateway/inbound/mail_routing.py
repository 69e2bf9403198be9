"""Sorts an accepted mail by the addresses it came to: what it says and to whom. `process` calls it."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from gateway.i18n.phrases import Phrase, say
from gateway.inbound import thread_history
from gateway.inbound.commands import CommandRegistry
from gateway.inbound.inbound_mail import InboundMail
from gateway.language import grammar
from gateway.language.model.reading import Context, NamedAccount, Privacy, Reading
from gateway.language.opt_out import keywords
from gateway.language.privacy.plain_words import plainly_private
from gateway.language.privacy.private_messages import private_reading
from gateway.ledger.inbox import replays
from gateway.mail.auth import replay_keys
from gateway.mail.decode.body_parts import Unread
from gateway.mail.decode.subjects import with_subject
from gateway.mail.footers.contact_blocks import no_prose
from gateway.mail.parse.reaction_mails import mail_reaction
from gateway.network.conversation import notices, reading_context
from gateway.network.digests import update_list
from gateway.network.mail import confirmations, unsubscribe
from gateway.network.mail.mail_addresses import Kind, Recipient
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from gateway.store.tables import Account, Address, Inbound, Post

log = logging.getLogger(__name__)

ENDS = "mail to the address that ends this follow"
FOREIGN = "this address was made for somebody else"
TOKENS: Final[tuple[Kind, ...]] = ("reply", "unsubscribe", "bounce", "confirm")
DOES: Final[dict[Kind, str]] = {"join": "follow", "leave": "unfollow"}  # addresses that stand for a command
# Readings that a mail to a group, a person or a reply address may still have; any other becomes words for them.
FIRST = ("help", "direct", "ask", "error", "choice")


@dataclass(frozen=True, slots=True)
class OpenedMail:
    """A mail as its writer meant it. `machine`: why it was not written by a person."""

    text: str
    subject: str
    machine: str | None
    forwarded: bool = False
    unread: Unread | None = None
    answers: bool = False
    reaction: str | None = None


@dataclass(frozen=True, slots=True)
class UnreadMail:
    """A mail that is not read as words, and how its row ends."""

    state: Literal["done", "held", "dropped"]
    intent: str | None
    reason: str
    queues: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Addressees:
    """Who a mail is for, by the local parts of its recipients. `doing`: the verb and its target, of addresses that
    act."""

    everyone: bool
    help: bool
    groups: tuple[Account, ...]
    people: tuple[Account, ...]
    doing: tuple[tuple[str, Account], ...]
    tokens: tuple[tuple[Kind, tuple[int, ...]], ...]
    gone: tuple[str, ...]


def open_mail(session: Session, registry: CommandRegistry, mail: InboundMail) -> OpenedMail:
    """The writer's own words, without quotes and signature, and without what the thread had before."""
    if mail.mail.refused:
        return OpenedMail("", "", mail.mail.refused)
    own = mail.mail.words_after(thread_history.earlier_words(session, registry, mail))
    reaction = mail_reaction(mail.mail.message, own.text, own.trimmed)
    read = (own.text, own.subject, mail.machine)
    return OpenedMail(*read, own.forwarded, own.unread, own.answers, reaction)


def machine(registry: CommandRegistry, inbound: Inbound, mail: OpenedMail) -> str | None:
    """Why the mail was not written by a person: it has the signs of a machine, or its From is in our own domain, where
    nobody has a mailbox."""
    ours = inbound.sender.rpartition("@")[2] == registry.settings.mail_domain
    return mail.machine or ("our own address" if ours else None)


CLAIMED: Final = ("dmarc", "secret", "token")  # proofs with which network/mail/sender_verdicts let a mail in


# What a writer is told whose words could not be read; nothing of the mail is posted, not even its subject.
UNREAD: Final[dict[Unread, Phrase]] = {
    "encrypted": say("Your mail is encrypted, and Critter cannot read it. Nothing was posted. Send it unencrypted"),
    "wrapped": say("Outlook wrapped your mail up (winmail.dat). Nothing was posted. Send it as HTML or plain text"),
    "source": say("Your mail arrived as source text, without its words. Nothing was posted. Send it as plain text"),
    "unreadable": say("The words of your mail could not be read. Nothing was posted. Send it as plain text"),
}


def came_before(session: Session, mail: InboundMail) -> bool:
    """Records the signatures of a mail that the door, its writer's OK or an operator let in, so that a later copy which
    these signatures prove has no effect. True when the writer said OK to a mail that was read already: they were asked
    about a copy. A copy that an operator let in is read."""
    inbound = mail.inbound
    if mail.mail.refused or inbound.proof in CLAIMED:
        return False
    marks = replay_keys.compute(mail.mail.octets, mail.mail.message, inbound.sender)
    new = replays.claim(session, inbound.id, marks)
    return not new and inbound.proof == confirmations.PROOF and inbound.reason != replays.AGAIN


def is_for_operator(mail: InboundMail) -> bool:
    """Whether it is mail to postmaster@ or abuse@, whoever or whatever wrote it. Bounces are excepted, for they would
    go in circles."""
    return bool(mail.came_to("operator")) and not mail.null_sender


def is_unsubscribe(session: Session, mail: InboundMail) -> UnreadMail | None:
    """Whether it is mail to unsubscribe addresses alone. Each token is the whole authority, whichever mailbox sends
    it."""
    pairs = [one.ids for one in mail.came_to("unsubscribe")]
    if not pairs or len(pairs) < len(mail.addressed):
        return None
    for source_id, address_id in pairs:
        if ending := unsubscribe.pair(session, source_id, address_id):
            unsubscribe.end(session, ending)
    return UnreadMail("done", "unfollow", ENDS)


def sort(
    session: Session, registry: CommandRegistry, came: InboundMail, mail: OpenedMail, address: Address, account: Account
) -> UnreadMail | Reading:
    """The reading of the mail for the addresses it came to, or why it is kept."""
    to = _addressees(session, came)
    for kind, ids in to.tokens:
        kept = _kept_by_token(session, came.inbound, kind, ids, address, mail.text)
        if kept:
            return kept
    if mail.reaction:
        return _reacted(session, registry, came, mail.reaction)
    if mail.unread and not to.doing:
        return Reading("error", reason=UNREAD[mail.unread])
    # An address of its own says what is answered; only a mail to post@ continues the conversation.
    context = reading_context.context(session, address) if to.everyone else Context()
    resolver = reading_context.resolver(session, account.id)

    def read(text: str) -> Reading:
        return grammar.read(text, "email", registry.verbs_for(account.language), resolver, context)

    plain = _first_line(mail.text, read) or read(mail.text)
    if plain.intent == "update" and mail.subject != mail.text:
        plain = (  # "d kim" or "private for kim" was in the subject
            private_reading(f"{mail.subject} {mail.text}", resolver)
            or plainly_private(f"{mail.subject}: {mail.text}", resolver)
            or plain
        )
    if address.state == "stopped" and keywords.carrier_word(mail.text) == "start":
        return Reading("optin", reason="mails to this mailbox start again", text=mail.text)
    if plain.intent == "update" and not plain.post and not (mail.answers or mail.forwarded or _answering(to)):
        words = with_subject(mail.subject, plain.text)
        mail, plain = replace(mail, text=words), replace(plain, text=words, args=(words,))
    return _addressed(session, to, plain, mail, account)


def _reacted(session: Session, registry: CommandRegistry, came: InboundMail, kind: str) -> UnreadMail | Reading:
    """A reaction goes to the item that the mail answers, and to nothing else; it is dropped when that item is not
    known."""
    post = thread_history.answered_item(session, registry, came)
    if post is None:
        return UnreadMail("dropped", "reaction", "a reaction to a mail that is none of ours")
    return Reading("reaction", (kind,), reason="a reaction by mail", post=post)


def _first_line(text: str, read: Callable[[str], Reading]) -> Reading | None:
    """The command in the first line, when nothing below it says anything: only contact details and notices that were
    not cut off."""
    first, _, rest = text.partition("\n")
    if not rest.strip() or not no_prose(rest.split("\n")):
        return None
    reading = read(first.strip())
    command = reading.verb is not None and reading.intent not in WORDS and reading.privacy == "company"
    return reading if command else None


WORDS: Final = ("update", "direct", "group", "reply", "ask", "error")  # these carry words, which may go on below


def _answering(to: Addressees) -> bool:
    return any(kind == "reply" for kind, _ in to.tokens)


def _addressees(session: Session, came: InboundMail) -> Addressees:
    known = came.recipients
    kinds = {each.kind for each in known}
    handles = {each.handle: accounts.by_handle(session, each.handle) for each in known if each.handle}
    posted = [handles[each.handle] for each in known if each.kind == "handle"]
    return Addressees(
        everyone=not kinds.isdisjoint(("post", "secret")),
        help="help" in kinds,
        groups=_once(*(account for account in posted if account and account.kind == "group")),
        people=_once(*(account for account in posted if account and account.kind == "person")),
        doing=_doings(known, handles),
        tokens=tuple((each.kind, each.ids) for each in known if each.kind in TOKENS),
        gone=tuple(
            local for local, each in came.addressed if each is None or (each.handle and not handles[each.handle])
        ),
    )


def _doings(known: Sequence[Recipient], handles: Mapping[str, Account | None]) -> tuple[tuple[str, Account], ...]:
    doing = ((DOES[each.kind], handles[each.handle]) for each in known if each.kind in DOES)
    return tuple(dict.fromkeys((verb, account) for verb, account in doing if account))


def _kept_by_token(
    session: Session, inbound: Inbound, kind: str, ids: tuple[int, ...], address: Address, words: str
) -> UnreadMail | None:
    """What a token alone decides. The tokens of a forwarded mail have no effect for anybody but their owner."""
    owner = session.get(Address, ids[1])
    if kind == "confirm":
        mine = owner is not None and owner.id == address.id
        return UnreadMail(
            "done", "confirm", confirmations.take_answer(session, ids[0], address, words) if mine else FOREIGN
        )
    if owner is None or owner.account_id != address.account_id:
        return _foreign(session, inbound, owner)
    if kind == "unsubscribe" and address.account_id is not None:
        if ending := unsubscribe.pair(session, ids[0], ids[1]):
            unsubscribe.end(session, ending)
        return UnreadMail("done", "unfollow", ENDS)
    return None


def _foreign(session: Session, inbound: Inbound, owner: Address | None) -> UnreadMail:
    """Refuses a token of somebody else's and logs it. The owner is told, once a day for each who tries (R31). A
    forwarded mail gives its reader no rights."""
    log.warning("a token was used by somebody else: inbound %s", inbound.id)
    told_before = session.scalar(TRIED_BEFORE, {"sender": inbound.sender, "id": inbound.id, "reason": FOREIGN})
    if owner is None or owner.account_id is None or told_before:
        return UnreadMail("dropped", None, FOREIGN)
    notice = say(
        "Somebody else wrote to a reply address that is yours alone. Nothing was posted. Did you "
        "forward a mail from Critter?"
    )
    return UnreadMail("dropped", None, FOREIGN, notices.tell(session, [owner.account_id], notice))


TRIED_BEFORE = sql("""
    SELECT EXISTS (SELECT FROM inbound WHERE channel = 'email' AND sender = :sender AND id < :id
                   AND id >= id_at(now() - interval '1 day') AND state NOT IN ('new', 'working') AND reason = :reason)
""")


def _addressed(session: Session, to: Addressees, plain: Reading, mail: OpenedMail, writer: Account) -> Reading:
    if to.gone:  # removed since the mail was accepted; what was meant for them goes to nobody else
        called = say("that address") if len(to.gone[0]) > LONGEST_CALLED else to.gone[0]
        return Reading("error", reason=say("{name} is not here any more. Nothing was posted or sent", name=called))
    answering = next((ids[0] for kind, ids in to.tokens if kind == "reply"), None)
    if to.doing:
        return _does(to, answering)
    if sum(kind == "reply" for kind, _ in to.tokens) > 1:  # one of them may be private
        return Reading("error", reason=say("One mail can answer only one mail. Nothing was posted"))
    if answering and (to.people or to.groups or to.everyone):
        to = _with_answered(session, to, answering)
    if to.help and not (to.groups or to.people or to.everyone or answering):
        return _help(plain, mail.text)
    if not (to.groups or to.people or answering):
        return plain
    mixed = _mixed(to, mail.text)
    again = bool(answering) and plain.verb == "r" and plain.intent == "error"  # "r" says what the address says
    first = plain.intent in FIRST and plain.privacy == "direct"  # it means the same whatever address it came to
    if mixed or (first and not again):
        return mixed or plain
    if to.people:
        return _to("direct", to.people, mail.text, "mail to a person is private")
    if to.groups:
        audience = (*to.groups, writer) if to.everyone else to.groups  # the writer stands for their own followers
        return _to("group", audience, mail.text, "mail to a group")
    return _reply(session, plain, plain.args[-1] if again else mail.text, answering)


LONGEST_CALLED: Final = 20  # of a handle; a token means nothing to a person


def _does(to: Addressees, answering: int | None) -> Reading:
    """The action of an address such as `sales+join@`, whatever else the mail says. Several at once are refused, for
    their writer would not know which was done."""
    if len(to.doing) > 1 or answering or to.people or to.groups or to.everyone:
        reason = say("To join or leave, write to that one address alone. Nothing was changed")
        return Reading("error", reason=reason)
    [(verb, account)] = to.doing
    who = find_named(account)
    asks = verb == "follow" and who.group == "closed"
    return Reading("join_request" if asks else verb, (who.handle,), "company", f"mail to {verb}", verb, (who,))


def _help(plain: Reading, text: str) -> Reading:
    """help@ answers with help, about the command that the mail names if any; it never performs that command."""
    if plain.intent == "help":
        return plain
    return Reading("help", (plain.verb,) if plain.verb else (), reason="mail to help@", verb="help", text=text)


def _with_answered(session: Session, to: Addressees, answering: int) -> Addressees:
    """Adds whom a reply is for when it also goes elsewhere: the writer of a private item, the group of a closed one."""
    post = session.get(Post, answering)
    group = accounts.by_id(session, post.group_id) if post and post.group_id else None
    author = accounts.by_id(session, post.author_id) if post and post.visibility == "direct" else None
    groups = (group,) if group and group.access == "closed" else ()
    people = (author,) if author else ()
    return replace(to, groups=_once(*to.groups, *groups), people=_once(*to.people, *people))


def _once(*accounts_: Account) -> tuple[Account, ...]:
    return tuple(dict.fromkeys(accounts_))


def _mixed(to: Addressees, text: str) -> Reading | None:
    """A mail addressed both privately and publicly is kept, and its writer is asked; None when it is only one of
    them."""
    closed = tuple(group for group in to.groups if group.access == "closed")
    if to.people and (to.groups or to.everyone):
        return _kept(to.people, text, say("This mail went both to people and to everyone"))
    if closed and (to.everyone or len(to.groups) > 1):
        return _kept(closed, text, say("This mail went to a closed group and elsewhere, too"))
    return None


def _kept(private: Sequence[Account], text: str, reason: str) -> Reading:
    """Keeps the words and asks. When there is a single one of them it can be chosen: privately to that person, or to
    that group alone."""
    names = tuple(find_named(account) for account in private)
    handles, near = ",".join(name.handle for name in names), names if len(names) == 1 else ()
    if private[0].kind == "group":
        return Reading("ask", (handles, text), "group", reason, None, (), text, near)
    return Reading("ask", (handles, text), "direct", reason, "d", (), text, near)


def _to(intent: Literal["direct", "group"], accounts_: Sequence[Account], text: str, reason: str) -> Reading:
    names: tuple[NamedAccount, ...] = tuple(find_named(account) for account in accounts_)
    handles = ",".join(name.handle for name in names)
    return Reading(intent, (handles, text), intent, reason, names=names, text=text)


def _reply(session: Session, plain: Reading, text: str, answering: int | None) -> Reading:
    listed = update_list.list_items(session, answering) if answering else ()
    if listed:
        return _about_one(plain, text, listed, answering)
    post = session.get(Post, answering) if answering else None
    privacy: Privacy = "direct" if post and post.visibility == "direct" else "company"
    return Reading("reply", (text,), privacy, "a reply by mail", text=text, post=answering)


NUMBERED: Final = re.compile(
    r"(?:/?(?:re?|reply)[:,]?\s+)?#?(\d{1,2})(?:\s*[.):,-]\s*|\s+)(\S.*)", re.IGNORECASE | re.DOTALL
)


def _about_one(plain: Reading, text: str, listed: Sequence[int], mail_id: int | None) -> Reading:
    """An answer to the daily mail: a command, or words about one of its updates, whose number comes before them."""
    if plain.intent != "update" and plain.verb != "r":
        return plain
    numbered = NUMBERED.fullmatch(text)
    if numbered and 1 <= int(numbered[1]) <= len(listed):
        answered, words = listed[int(numbered[1]) - 1], numbered[2]
        return Reading("reply", (words,), reason="a reply to one update of the daily mail", text=words, post=answered)
    if len(listed) == 1:
        return Reading("reply", (text,), reason="a reply to the daily mail's one update", text=text, post=listed[0])
    return Reading("ask", (text,), reason="which update of the daily mail?", text=text, post=mail_id)
