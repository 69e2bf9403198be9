"""All that happened to one input, post or delivery, as plain values. `critter trace` shows it, the tour sums it up.

Numbers are masked; the words are in it only when `bodies` is set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from gateway.channels import CHANNELS, SMS
from gateway.network.inspect import trace_deliveries, trace_offers
from gateway.network.inspect.id_lookup import LookupResult
from gateway.network.inspect.trace_deliveries import Plain, iso
from gateway.network.receipts import receipts
from gateway.sms import fit
from gateway.store.tables import (
    Account,
    Action,
    Audit,
    Call,
    CallPerson,
    Delivery,
    Effect,
    Fanout,
    Inbound,
    Message,
    Post,
    Topic,
    Track,
)

UNPAID = ("failed", "cancelled", "held")
BY_DIGEST = "digest"  # the reason of what came in a digest: that was paid for
REMOVED = "posts.remove"  # the action's name in the audit
MOST = 1000  # deliveries that one trace lists


@dataclass(frozen=True, slots=True)
class View:
    """How a trace is shown: `mask` for numbers and mailboxes, the `price` of a part in dollars, with bodies or
    without."""

    mask: Callable[[str], str]
    price: Decimal
    bodies: bool = False
    limit: int = MOST


def summary(session: Session, inbound_id: int, price: Decimal) -> Plain:
    """One input in a line: what it was read as and why, the texts and mails that it led to (its answer included), how
    many ms it took to read, and how many dollars its texts cost or will cost. `open`: more may come."""
    row = session.get_one(Inbound, inbound_id)
    messages = _messages(session, LookupResult("inbound", inbound_id))
    waiting = select(func.count()).where(Fanout.message_id.in_([m.id for m in messages]), Fanout.state == "waiting")
    counts, cost = _counts(session, messages, price)
    return {
        "state": row.state,
        "read_as": row.intent,
        "reason": row.reason,
        **{each.nouns: counts.get(each.name, 0) for each in CHANNELS.values()},
        "ms": _ms(row.received_at, row.done_at),
        "cost": cost,
        "open": row.state in ("new", "working") or bool(session.scalar(waiting)),
    }


def trace(session: Session, found: LookupResult, view: View) -> Plain:
    """The whole trace: the summary of its input at the top, the rows below, each with its times."""
    inbound = session.get(Inbound, found.inbound_id) if found.inbound_id else None
    messages = _messages(session, found)
    wanted = [message.id for message in messages]
    address_id = found.address_id if found.kind == "delivery" else None
    deliveries, total = trace_deliveries.deliveries(session, wanted, address_id, view.mask, view.limit)
    return {
        "asked": found.kind,
        **(summary(session, inbound.id, view.price) if inbound else {}),
        "inbound": _inbound(session, inbound, view) if inbound else None,
        "effects": _effects(session, inbound) if inbound else [],
        "posts": [_post(session, post, view) for post in _posts(session, found)],
        "messages": [_message(message, view) for message in messages],
        "fanouts": _fanouts(session, messages),
        "deliveries": deliveries,
        "deliveries_in_all": total,
    }


def _posts(session: Session, found: LookupResult) -> Sequence[Post]:
    mine = _any((Post.id, found.post_id), (Post.inbound_id, found.inbound_id))
    return session.scalars(select(Post).where(mine).order_by(Post.id)).all()


def _any(*pairs: tuple[Any, int | None]) -> ColumnElement[bool]:
    """As a condition: one of the columns has its value. A missing value matches nothing, not even NULL."""
    return or_(false(), *(column == value for column, value in pairs if value is not None))


def _messages(session: Session, found: LookupResult) -> Sequence[Message]:
    """The messages: of a delivery its own; else the copies of the posts and the answer."""
    wanted = select(Message).order_by(Message.id)
    if found.kind == "delivery":
        return session.scalars(wanted.where(Message.id == found.message_id)).all()
    posts = [post.id for post in _posts(session, found)]
    mine = _any((Message.id, found.message_id), (Message.inbound_id, found.inbound_id))
    return session.scalars(wanted.where(mine | Message.post_id.in_(posts))).all()


def _counts(session: Session, messages: Sequence[Message], price: Decimal) -> tuple[dict[str, int], float]:
    """(deliveries by channel, dollars). A text that has not left yet is counted as long as its row exists."""
    paid = func.coalesce(func.sum(Delivery.segments), 0)
    unsent = func.count().filter(
        Delivery.segments.is_(None), Delivery.state.not_in(UNPAID), Delivery.reason.is_distinct_from(BY_DIGEST)
    )
    rows = session.execute(
        select(Delivery.message_id, Delivery.channel, func.count(), paid, unsent)
        .where(Delivery.message_id.in_([message.id for message in messages]))
        .group_by(Delivery.message_id, Delivery.channel)
    ).all()
    lengths = {message.id: fit.fit(message.text).segments for message in messages}
    counts: dict[str, int] = {}
    segments: int = 0
    for message_id, channel, count, parts, waiting in rows:
        counts[channel] = counts.get(channel, 0) + count
        segments += (parts or 0) + waiting * lengths[message_id] if CHANNELS[channel].priced else 0
    return counts, round(float(segments * price), 4)


def _inbound(session: Session, row: Inbound, view: View) -> Plain:
    said = {"text": row.text} if view.bodies else {}
    return {
        "id": str(row.id),
        "channel": row.channel,
        "from": f"@{row.sender}" if row.channel == "cli" else view.mask(row.sender),
        "by": _handle(session, row.account_id),
        "message_id": row.message_id if row.channel == SMS else None,
        "state": row.state,
        "intent": row.intent,
        "reason": row.reason,
        "tries": row.attempt,
        **said,
        "received_at": iso(row.received_at),
        "done_at": iso(row.done_at),
        "ms": _ms(row.received_at, row.done_at),
    }


def _effects(session: Session, row: Inbound) -> list[Plain]:
    rows = session.scalars(
        select(Effect)
        .join(Action, Action.id == Effect.action_id)
        .where(Action.inbound_id == row.id)
        .order_by(Effect.number)
    )
    return [
        {"kind": one.kind, "subject": _id(one.subject_id), "undone_at": iso(one.undone_at), "at": iso(one.created_at)}
        for one in rows
    ]


def _post(session: Session, post: Post, view: View) -> Plain:
    return {
        "id": str(post.id),
        "author": _handle(session, post.author_id),
        "group": _handle(session, post.group_id),
        "visibility": post.visibility,
        "in_reply_to": _id(post.in_reply_to),
        **({"text": post.text} if view.bodies else {}),
        "at": iso(post.created_at),
        "deleted_at": iso(post.deleted_at),
        "deleted_by": taken_back_by(session, post) if post.deleted_at else None,
        "receipts": receipts.tally(session, post.id).plain(),
        "offer": trace_offers.of_post(session, post, bodies=view.bodies),
        **({"call": _call(session, post.id)} if post.call else {}),
    }


def _call(session: Session, post_id: int) -> Plain | None:
    """How a call stands, and the step of each who was asked; None once it was deleted for its age."""
    call = session.get(Call, post_id)
    if call is None:
        return None
    people = select(CallPerson, Account.handle).join(Account, Account.id == CallPerson.account_id)
    rows = session.execute(people.where(CallPerson.post_id == post_id).order_by(Account.handle))
    return {
        "kind": call.kind,
        "ends_at": iso(call.ends_at),
        "ended_at": iso(call.ended_at),
        "ending": call.ending,
        "people": [
            {
                "handle": handle,
                "step": one.step,
                "next_at": iso(one.next_at),
                "answered_at": iso(one.answered_at),
                "late": one.late,
                "gone": one.gone,
            }
            for one, handle in rows
        ],
    }


def taken_back_by(session: Session, post: Post) -> str | None:
    """Who took the post back: the operator who removed it or what it repeats, as the audit has it; else its author, by
    `undo`."""
    removed = select(Audit.actor).where(Audit.action == REMOVED, Audit.subject_id.in_([post.id, post.repeat_of]))
    removed = removed.where(Audit.id > post.id)  # ids sort by time: only later rows are looked at
    operator = session.scalar(removed.order_by(Audit.id.desc()).limit(1))
    if operator:
        return f"operator {operator}"
    repeated = session.get(Post, post.repeat_of) if post.repeat_of else None
    taken = repeated if repeated and repeated.deleted_at == post.deleted_at else post
    author = _handle(session, taken.author_id)
    return f"@{author}" if author else None


def _message(message: Message, view: View) -> Plain:
    return {
        "id": str(message.id),
        "kind": message.kind,
        "post": _id(message.post_id),
        **({"text": message.text} if view.bodies else {}),
        "at": iso(message.created_at),
    }


def _fanouts(session: Session, messages: Sequence[Message]) -> list[Plain]:
    rows = session.execute(
        select(Fanout, func.coalesce(Account.handle, "#" + Topic.tag, '"' + Track.shown + '"'))
        .outerjoin(Account, Account.id == Fanout.source_id)
        .outerjoin(Topic, Topic.id == Fanout.source_id)
        .outerjoin(Track, Track.id == Fanout.source_id)
        .where(Fanout.message_id.in_([message.id for message in messages]))
        .order_by(Fanout.message_id, Fanout.source_id)
    )
    return [
        {
            "message": str(fanout.message_id),
            "source": source,
            "state": fanout.state,
            "texts": fanout.texts,
            "mails": fanout.mails,
            "pushes": fanout.pushes,
            "not_before": iso(fanout.not_before),
            "done_at": iso(fanout.done_at),
        }
        for fanout, source in rows
    ]


def _handle(session: Session, account_id: int | None) -> str | None:
    account = session.get(Account, account_id) if account_id else None
    return account.handle if account else None


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)


def _ms(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else max(0, round((end - start).total_seconds() * 1000))
