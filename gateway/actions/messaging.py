"""Private messages: to people, to a group, to a broadcast group's posters. When in doubt they are not sent, and they
can be stopped."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from gateway.actions import posting
from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import PROOF, REACH, ConfirmationRequired
from gateway.actions.model.private_words import confirm_repeat
from gateway.actions.reach_estimate import estimate_wide
from gateway.attention import zones
from gateway.channels import SMS
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.ledger.inbox import media
from gateway.network.audience import visibility
from gateway.network.follows import follows, mutes, reachability
from gateway.network.follows.reachability import Readiness, Unreached
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Account, Post

WIDE: Final = 50  # people; a private message by text to more of them is proved first


@dataclass(frozen=True, slots=True)
class SentMessage:
    """`people`: how many each of the named accounts stands for, in their order; `hold`: how long it can be stopped
    before it goes; `unreached`: those whom nothing reaches now; `away`: the names of those whose mailbox says that they
    are. `appended`: it is a part of a message that waits."""

    post_id: int
    names: tuple[NamedAccount, ...] = ()
    people: tuple[int, ...] = ()
    hold: timedelta = timedelta(0)
    unreached: tuple[Unreached, ...] = ()
    away: tuple[str, ...] = ()
    appended: bool = False


def send(
    session: Session, actor: Actor, names: Sequence[NamedAccount], text: str, in_reply_to: int | None = None
) -> SentMessage:
    """Sends to all of them or to nobody. A message to a group, and anyone's first private message, waits for `undo` a
    little. `in_reply_to`: left out when the writer may not read it."""
    in_reply_to = _thread(session, actor, in_reply_to)
    recipients = _recipients(session, actor.account, names)
    _check_not_blocked(session, actor.account.id, names)
    ready = _check_reached(session, actor.account, recipients)
    hold = _hold(session, actor, names, in_reply_to)
    words = NewPost(
        actor.account, text, "direct", actor.door, recipients=recipients, in_reply_to=in_reply_to,
        inbound_id=actor.inbound_id, hold=hold,
    )  # fmt: skip
    people = tuple(sum(1 for _, named in recipients if named == each.id) for each in names)
    _prove_if_wide(session, actor, words, names, people)
    post = posting.publish(session, actor, words)
    return SentMessage(post.id, tuple(names), people, hold, *ready)


def append(
    session: Session, actor: Actor, names: Sequence[NamedAccount], text: str, post_id: int
) -> SentMessage | None:
    """Appends a later part of a text to the private message that the first became; None when it must be sent by
    itself."""
    if media.list_attached(session, actor.inbound_id):
        return None
    recipients = _recipients(session, actor.account, names)
    confirm_repeat(session, actor, NewPost(actor.account, text, "direct", actor.door, recipients=recipients))
    return SentMessage(post_id, appended=True) if posting.append(session, actor, post_id, text) else None


def tell_posters(
    session: Session, actor: Actor, group: NamedAccount, text: str, in_reply_to: int | None = None
) -> SentMessage:
    """Sends to those who post in a broadcast group, and to nobody else."""
    in_reply_to = _thread(session, actor, in_reply_to)
    recipients = _recipients(session, actor.account, [group])
    ready = _check_reached(session, actor.account, recipients)
    words = NewPost(
        actor.account, text, "direct", actor.door, recipients=recipients, in_reply_to=in_reply_to,
        inbound_id=actor.inbound_id,
    )  # fmt: skip
    post = posting.publish(session, actor, words)
    return SentMessage(post.id, (group,), (len(recipients),), timedelta(0), *ready)


def _thread(session: Session, actor: Actor, post_id: int | None) -> int | None:
    """The post that is answered, if its writer may read it: its thread gives a mail its subject."""
    return post_id if post_id and visibility.may_read(session, actor.account.id, post_id) else None


def check_reaches(session: Session, author: Account, person: NamedAccount) -> None:
    """Raises Refused when nothing of the author reaches that one person, for the same reasons as for a message that
    cannot be sent."""
    _check_not_blocked(session, author.id, [person])
    _check_reached(session, author, [(person.id, person.id)])


def _prove_if_wide(
    session: Session, actor: Actor, words: NewPost, names: Sequence[NamedAccount], people: Sequence[int]
) -> None:
    """A forged sender number must not write to many in somebody's name: one question has the names and the price
    (R39)."""
    if actor.door == SMS and len(words.recipients) > WIDE and PROOF not in actor.confirmed:
        wide = estimate_wide(session, actor, words)
        raise ConfirmationRequired("wide_message", PROOF, REACH, names=names, people=people, reach=wide)


def _recipients(session: Session, author: Account, names: Sequence[NamedAccount]) -> list[tuple[int, int]]:
    """(person, whom the writer named), everyone once, without the writer."""
    found: dict[int, int] = {}
    for named in names:
        for person in [named.id] if named.kind == "person" else _members(session, author, named):
            found.setdefault(person, named.id)
    found.pop(author.id, None)
    if not found:
        raise refusal("nobody_but_you")
    return list(found.items())


def _check_not_blocked(session: Session, author_id: int, names: Sequence[NamedAccount]) -> None:
    """Whoever blocked somebody is told that they did; whoever is blocked is not told."""
    for each in names:
        silence = mutes.find_mute(session, author_id, each.id)
        if silence and silence.kind == "block":
            raise refusal("blocked_by_you", name=each.name, handle=each.handle)


def _check_reached(session: Session, author: Account, recipients: Sequence[tuple[int, int]]) -> Readiness:
    """Whom nothing reaches now, and who is away; raises Refused when nobody can be reached."""
    ready = reachability.find_ready(session, [person for person, _ in recipients], author.id)
    if len(ready.unreached) == len(recipients):
        raise refusal("unreached", people=ready.unreached, timezone=zones.known(author.zone_now))
    return ready


def _members(session: Session, author: Account, group: NamedAccount) -> Collection[int]:
    if group.group == "broadcast":
        return [account.id for account in follows.posters(session, group.id)]
    mine = select(visibility.following(author.id, group.id))
    if group.group == "closed" and not session.scalar(mine):
        raise refusal("closed_to_writers", handle=group.handle)
    return [account.id for account in follows.members(session, group.id)[1]]


def _hold(session: Session, actor: Actor, names: Sequence[NamedAccount], in_reply_to: int | None) -> timedelta:
    wide = any(named.kind == "group" for named in names)
    if wide or (in_reply_to is None and not _wrote_privately_before(session, actor.account.id)):
        return timedelta(seconds=actor.settings.hold_seconds)
    return timedelta(0)


def _wrote_privately_before(session: Session, account_id: int) -> bool:
    mine = exists().where(Post.author_id == account_id, Post.visibility == "direct")
    return bool(session.scalar(select(mine)))
