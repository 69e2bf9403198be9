"""Ends one follow, or a list of ours, by a link or address in a mail (R35, RFC 8058), and offers what one may want
right after: that follow again, or no more mails at all. The pages ask and act; mail to u+TOKEN comes here too, from
mail_routing.

The token is the whole authority. Whoever a mail was forwarded to has it as well, so nothing here reveals closed groups,
sends a text or lets anybody in where owners decide.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from sqlalchemy import case, func, literal, select, union_all
from sqlalchemy.orm import Session

from gateway.attention.causes import DeliveryCause
from gateway.errors import Refused
from gateway.language.track_phrases import TrackPhrase, quoted
from gateway.ledger.audit import audit_log
from gateway.network.audience import visibility
from gateway.network.follows import follows, subscriptions, tag_follows, trackers
from gateway.network.follows.subscriptions import DIGEST, NOTHING
from gateway.network.mail import daily_mail, mailing_lists
from gateway.network.mail.mailing_lists import OwnList
from gateway.network.people import addresses, way_choices
from gateway.security.signed_tokens import Signer
from gateway.store.tables import Account, Address, Follow, Topic, TopicFollow, Tracker
from gateway.store.views import ADDRESSES, FOLLOWS, FollowInForce, TopicFollowInForce, TrackerInForce

AGAIN: Final = 3600  # seconds in which the page brings a follow back
SHOWN: Final = 10  # names of what else is followed
SIGN: Final = case((Account.kind == "group", "#"), else_="@")


class Unsubscribed(NamedTuple):
    """How it ended: "kept" keeps a role in a group, "off" are all mails. `by_text`, `follows`: what the way back needs,
    whether the follow went to a phone, or the follows (and the numbers of causes) that came in the digest."""

    how: Literal["ended", "kept", "nothing", "off"]
    by_text: bool = False
    follows: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """Who follows whom or what, according to the token. `called`: @kim or #win; `back`: what `follow` takes, or for a
    tracked phrase what `track` takes; `access`: a group's; `is_mailbox`: what goes to this address are mails;
    `phrase`: what is tracked; `own`: it is a list of ours."""

    follower_id: int
    source_id: int
    address_id: int
    called: str
    back: str
    name: str
    access: str | None = None
    is_mailbox: bool = True
    phrase: TrackPhrase | None = None
    own: OwnList | None = None

    @property
    def open(self) -> bool:
        """Whether the follow can come back without anybody's permission."""
        return self.access != "closed"


@dataclass(frozen=True, slots=True)
class RemainingSubscriptions:
    """What somebody still gets: how many sources, the names of the first, and whether mails are off anyway."""

    number: int
    names: Sequence[str]
    are_off: bool


def pair(session: Session, source_id: int, address_id: int) -> Pair | None:
    """What the token stands for; None when one of the two is gone."""
    address = session.get(Address, address_id)
    if address is None or address.account_id is None:
        return None
    keys, is_mailbox = (address.account_id, source_id, address_id), address.channel == "email"
    if own := mailing_lists.by_number(source_id):
        return Pair(*keys, own, own, mailing_lists.NAMES[own], is_mailbox=is_mailbox, own=own)
    account = session.get(Account, source_id)
    if account is not None:
        sign = "#" if account.kind == "group" else "@"
        return Pair(*keys, sign + account.handle, account.handle, account.name, account.access, is_mailbox)
    tag = tag_follows.tag_of(session, source_id)
    if tag:
        return Pair(*keys, f"#{tag}", f"#{tag}", f"#{tag}", is_mailbox=is_mailbox)
    return _tracked(session, keys, is_mailbox)


def language_of(session: Session, ending: Pair) -> str:
    """Of whoever the link went to."""
    return session.get_one(Account, ending.follower_id).language


def _tracked(session: Session, keys: tuple[int, int, int], is_mailbox: bool) -> Pair:
    """A phrase that nobody tracks any more is forgotten after some days; links in older mails end nothing then, and
    that is no error. No account and no topic ever goes, so it was a phrase."""
    phrase = trackers.phrase_of(session, keys[1]) or TrackPhrase("", "a word")
    called = f'"{phrase.shown}"' if phrase.folded else phrase.shown
    return Pair(*keys, called, quoted(phrase.shown), called, is_mailbox=is_mailbox, phrase=phrase)


def end(session: Session, ending: Pair) -> Unsubscribed:
    """Ends it. It is the same success however often it is asked. Whoever owns a group or posts in it keeps that role
    and gets nothing more of it: one click takes no role away, and leaves no group without an owner.

    No input records it, so the audit does: who left a closed group was in it before."""
    match ending.own:
        case "daily":
            return Unsubscribed("ended" if daily_mail.subscribe(session, ending.follower_id, False) else "nothing")
        case "digest":
            return _end_digest(session, ending)
        case "mails":
            _set_mails(session, ending, False)
            return Unsubscribed("off")
    return _end_follow(session, ending)


def _end_digest(session: Session, ending: Pair) -> Unsubscribed:
    """Nothing that comes in the digest is sent any more; what it was made of is still followed. What is written to its
    reader comes one by one again: nobody loses that by a click."""
    causes = [cause for cause, way in way_choices.by_cause(session, ending.follower_id).items() if way == DIGEST]
    way_choices.set_ways(session, ending.follower_id, [each for each in causes if each.addressed], None)
    way_choices.set_ways(session, ending.follower_id, [each for each in causes if not each.addressed], NOTHING)
    gone = [*map(int, causes), *subscriptions.silence_way(session, ending.follower_id, DIGEST)]
    if gone:
        _note(session, ending, "follow.unsubscribe", _whom(ending, "from"))
    return Unsubscribed("ended" if gone else "nothing", follows=gone)


def _end_follow(session: Session, ending: Pair) -> Unsubscribed:
    mine = select(Follow.role).where(Follow.follower_id == ending.follower_id, Follow.account_id == ending.source_id)
    if session.scalar(mine) in ("owner", "poster"):
        follows.set_off(session, ending.follower_id, ending.source_id, True)
        return Unsubscribed("kept")
    row = follows.unfollow(session, ending.follower_id, ending.source_id)
    gone = row or _leave_words(session, ending)
    if gone is None:
        return Unsubscribed("nothing")
    _note(session, ending, "follow.unsubscribe", _whom(ending, "from"))
    return Unsubscribed("ended", gone.by_text)


def _leave_words(session: Session, ending: Pair) -> TopicFollow | Tracker | None:
    keys = (session, ending.follower_id, ending.source_id)
    return trackers.leave(*keys) if ending.phrase else tag_follows.leave(*keys)


def _whom(ending: Pair, name: str) -> dict[str, str]:
    """For the audit, which is never emptied: what somebody tracks does not stand there."""
    return {name: "a tracked word" if ending.phrase else ending.back}


def way_back(signer: Signer, ending: Pair, done: Unsubscribed) -> str:
    """The token that restores within an hour what has ended, as it was; "" when only owners can."""
    if done.how == "off":
        return signer.sign("mails", ending.source_id, ending.address_id, int(time.time()))
    if done.how != "ended" or not ending.open:
        return ""
    restored = int(done.by_text), int(time.time()), *done.follows
    return signer.sign("again", ending.source_id, ending.address_id, *restored)


def again(session: Session, signer: Signer, ending: Pair, token: str) -> bool:
    """Restores the follow; False when the token is old, of another follow or not ours, and when owners must be
    asked."""
    ids = signer.read("again", token)
    if visibility.holder(session, ending.address_id) is None:
        return False
    if ids is None or ids[:2] != (ending.source_id, ending.address_id) or len(ids) < 4 or not ending.open:
        return False
    if not _is_fresh(ids[3]):
        return False
    if ending.own == "daily":
        daily_mail.subscribe(session, ending.follower_id, True)
    elif ending.own == "digest":
        _resume_digest(session, ending, ids[4:])
    elif ending.own or not _followed(session, ending, by_text=bool(ids[2])):
        return False
    _note(session, ending, "follow.again", _whom(ending, "to"))
    return True


def _resume_digest(session: Session, ending: Pair, gone: Sequence[int]) -> None:
    """The numbers of causes are smaller than any id. What was chosen anew since then stays so."""
    now = way_choices.by_cause(session, ending.follower_id)
    causes = [cause for cause in DeliveryCause if cause in gone]
    ended = [each for each in causes if now.get(each) == (None if each.addressed else NOTHING)]
    way_choices.set_ways(session, ending.follower_id, ended, DIGEST)
    subscriptions.resume_way(session, ending.follower_id, gone, DIGEST)


def _followed(session: Session, ending: Pair, by_text: bool) -> bool:
    """False when they cannot be followed any more: they are gone by now, or there is a block."""
    if ending.phrase:
        known = bool(ending.phrase.folded)
        return known and trackers.put(session, ending.follower_id, ending.phrase, by_text) == ending.source_id
    try:
        if ending.back.startswith("#"):
            tag_follows.follow(session, ending.follower_id, ending.back, by_text=by_text)
        else:
            follows.follow(session, ending.follower_id, ending.source_id, by_text=by_text)
    except Refused:
        return False
    return True


def switch_off(session: Session, signer: Signer, ending: Pair) -> str:
    """Stops mails to this mailbox; answers still come, and follows stay. Returns the token that switches them on again
    within an hour."""
    _set_mails(session, ending, False)
    return way_back(signer, ending, Unsubscribed("off"))


def switch_on(session: Session, signer: Signer, ending: Pair, token: str) -> bool:
    """False for any token but that of `way_back`: otherwise whoever a mail was forwarded to could
    order mails."""
    ids = signer.read("mails", token)
    if ids is None or len(ids) != 3 or ids[:2] != (ending.source_id, ending.address_id) or not _is_fresh(ids[2]):
        return False
    if visibility.holder(session, ending.address_id) is None:
        return False
    _set_mails(session, ending, True)
    return True


def _set_mails(session: Session, ending: Pair, on: bool) -> None:
    addresses.set_receiving(session, ending.address_id, on)
    _note(session, ending, "mails.on" if on else "mails.off", {})


def others(session: Session, ending: Pair) -> RemainingSubscriptions:
    """What else is followed. Closed groups and tracked words are counted and not named. Whoever has a link to an
    address that is nobody's any more, or whose owner is suspended, can end that one follow and is shown no other."""
    if visibility.holder(session, ending.address_id) is None:
        return RemainingSubscriptions(0, (), are_off=True)
    mine = select(
        func.concat(Account.name, " (", SIGN, Account.handle, ")").label("name"),
        (Account.access.is_distinct_from("closed")).label("shown"),
    )
    people = mine.join(FollowInForce, FollowInForce.account_id == Account.id).where(
        FollowInForce.follower_id == ending.follower_id, ~FOLLOWS.c.off_now, Account.id != ending.source_id
    )
    tags = select(func.concat("#", Topic.tag), literal(True))
    heard = tags.join(TopicFollowInForce, TopicFollowInForce.topic_id == Topic.id).where(
        TopicFollowInForce.follower_id == ending.follower_id,
        Topic.id != ending.source_id,
        TopicFollowInForce.way.is_distinct_from(NOTHING),
    )
    tracked = select(literal(""), literal(False)).where(
        TrackerInForce.follower_id == ending.follower_id,
        TrackerInForce.track_id != ending.source_id,
        TrackerInForce.way.is_distinct_from(NOTHING),
    )
    rows = session.execute(union_all(people, heard, tracked).order_by("name")).all()
    names = [name for name, shown in rows if shown]
    return RemainingSubscriptions(len(rows), names[:SHOWN], _is_off(session, ending))


def _is_off(session: Session, ending: Pair) -> bool:
    return bool(session.scalar(select(ADDRESSES.c.off_now).where(ADDRESSES.c.id == ending.address_id)))


def _is_fresh(at: int) -> bool:
    return -AGAIN <= time.time() - at <= AGAIN


def _note(session: Session, ending: Pair, action: str, detail: dict[str, str]) -> None:
    follower = session.get_one(Account, ending.follower_id)
    audit_log.record(session, f"@{follower.handle}", action, follower.id, detail)
