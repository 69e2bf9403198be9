"""Collects what the language must know of one person to read their text: what they last got and what they were last
asked."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.channels import SMS
from gateway.language.model.reading import (
    Choice,
    Context,
    HeardCall,
    Item,
    NamedAccount,
    NumberedItems,
    NumberedPosts,
    OpenQuestion,
    PendingFragment,
    Resolver,
)
from gateway.network.audience import visibility
from gateway.network.calls import latest_call
from gateway.network.conversation import conversations, quoted_items
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.digests import sent_digests
from gateway.network.follows import tag_follows
from gateway.network.people.directory import find, find_named
from gateway.network.posts import timelines
from gateway.network.posts.timelines import ReceivedItem
from gateway.store.tables import Account, Address, Post, PostRecipient

REACH = 30  # items back; older ones are reached by their author's name


def resolver(session: Session, viewer_id: int) -> Resolver:
    """Answers "who or what is called this" as this person sees the company."""
    return partial(find, session, viewer_id=viewer_id)


def context(
    session: Session,
    address: Address,
    machine: str | None = None,
    heard_at: datetime | None = None,
    late: datetime | None = None,
) -> Context:
    """The context for one text. `heard_at`: when that text came in; `late`: the same of one that was found much later.
    The text is about what was on its phone then: what was received or asked since is not what it answers."""
    items = timelines.list_received(session, address.id, REACH, *([timelines.gone_by(late)] if late else []))
    talk = conversations.read_state(session, address.id, heard_at, late)
    return Context(
        last=_item(items[0]) if items else None,
        digest=_digest(session, address, items) if items and items[0].digested else None,
        last_by=_last_by(items),
        question=_question(talk.asked, talk.age, unseen=talk.unseen) if talk.asked else None,
        ran_out=_question(talk.ran_out, talk.age) if talk.ran_out else None,
        half=_half(session, talk.half, talk.half_age) if talk.half else None,
        opted_out=address.state == "stopped",
        private_thread=_chosen_thread(session, talk.thread, items),
        machine=machine,
        tagged={item.tag: _item(item) for item in reversed(items) if item.tag},
        quotes_item=lambda words: quoted_items.find(session, address, words) is not None,
        numbered=partial(_numbers_of_digest, session, address),
        called=partial(_called, session, address.account_id, heard_at),
        called_here=address.channel == SMS and any(item.post.call == "rollcall" for item in items),
        known_tag=lambda tag: bool(tag_follows.find_followed(session, [tag])),
    )


def _digest(session: Session, address: Address, items: Sequence[ReceivedItem]) -> NumberedItems | None:
    """The digest in which the last item came, until one of its items is shown alone. It may have more items than are
    looked at for other texts."""
    newest = sent_digests.numbered(session, address.id)
    if newest is None or items[0].post.id not in newest.posts:
        return None
    these = Post.id.in_(newest.posts)
    came = timelines.list_received(session, address.id, len(newest.posts), these, digest=newest.message_id)
    together = {item.post.id: _item(item) for item in came if item.age == items[0].age}
    if len(together) < 2:
        return None
    return NumberedItems(newest.message_id, tuple(together[post] for post in newest.posts if post in together))


def _numbers_of_digest(session: Session, address: Address) -> NumberedPosts | None:
    newest = sent_digests.numbered(session, address.id)
    return NumberedPosts(newest.message_id, tuple(newest.posts)) if newest else None


def _called(session: Session, account_id: int | None, heard_at: datetime | None) -> HeardCall | None:
    found = latest_call.newest(session, account_id, heard_at) if account_id else None
    if found is None:
        return None
    asker, group = (session.get_one(Account, each) for each in (found.asker_id, found.group_id))
    age = found.age.total_seconds() / 60
    return HeardCall(found.post_id, find_named(asker), group.handle, age, found.answered, found.ended)


def _chosen_thread(session: Session, post_id: int | None, items: Sequence[ReceivedItem]) -> int | None:
    """The last item's id, when that item continues the private thread in which this person chose to answer."""
    chosen = session.get(Post, post_id) if post_id else None
    goes_on = chosen and items and items[0].post.author_id == chosen.author_id
    return items[0].post.id if goes_on else None


def _item(item: ReceivedItem) -> Item:
    return Item(
        post=item.post.id,
        author=find_named(item.author),
        group=find_named(item.group) if item.group else None,
        private=item.post.visibility == "direct",
        broadcast=item.broadcast,
        age=item.age.total_seconds() / 60,
    )


def _last_by(items: Iterable[ReceivedItem]) -> dict[str, Item]:
    last: dict[str, Item] = {}
    for item in items:
        last.setdefault(item.author.handle, _item(item))
    return last


def _question(asked: AskedQuestion, age: timedelta, *, unseen: bool = False) -> OpenQuestion:
    choices = tuple(Choice(choice["label"]) for choice in asked.choices)
    words, minutes = frozenset(asked.words), age.total_seconds() / 60
    return OpenQuestion(asked.kind, choices, words, asked.secret, minutes, _has_others(asked), unseen)


def _has_others(asked: AskedQuestion) -> bool:
    """Whether a choice also sends to those who are certain already."""
    offered = {choice.get("id") for choice in asked.choices}
    sure = {each["id"] for each in (asked.about.get("reading") or {}).get("names", ())}
    return not sure <= offered or len(sure) > 1


def _half(session: Session, stored: dict[str, Any], age: timedelta) -> PendingFragment:
    later = {2: stored["later"]} if "later" in stored else {}  # the version before kept an early part like this
    half = PendingFragment(
        held=stored.get("held", ""),
        total=stored.get("total", 0),
        missing=stored.get("missing", 1 if later else 0),
        parts=_numbered(stored, "parts") or later,
        drafts=_numbered(stored, "drafts"),
        draft=stored.get("draft"),
        mixed=stored.get("mixed", False),
        age=age.total_seconds(),
    )
    post = session.get(Post, stored["post"]) if "post" in stored else None
    return _of_post(session, half, post) if post else half


def _numbered(stored: dict[str, Any], key: str) -> dict[int, Any]:
    """With the numbers of parts as keys, which are text in JSON."""
    return {int(number): each for number, each in stored.get(key, {}).items()}


def _of_post(session: Session, half: PendingFragment, post: Post) -> PendingFragment:
    return replace(
        half,
        names=_named_by(session, post),
        post=post.id,
        privacy="group" if post.group_id else "company" if post.visibility == "company" else "direct",
        open=visibility.open_to_all(session, post.id),
    )


def _named_by(session: Session, post: Post) -> tuple[NamedAccount, ...]:
    """The people whom the writer of a private post named; the group of a post that was written there."""
    named_ids = select(PostRecipient.named_id).where(PostRecipient.post_id == post.id)
    wanted = Account.id == post.group_id if post.group_id else Account.id.in_(named_ids)
    return tuple(find_named(account) for account in session.scalars(select(Account).where(wanted).order_by(Account.id)))
