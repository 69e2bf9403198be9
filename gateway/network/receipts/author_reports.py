"""What an author is told about a post later, once: how a post to many went, and that mails of it are late.

A row in `tellings` says that a report is due; the report and the mark that it was sent are one transaction.
workers/fanout schedules the counts, the clock looks for late mails, workers/author_reports sends the reports.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from gateway.channels import EMAIL, PUSH, SMS
from gateway.i18n.phrases import Phrase, count, joined, say, translated
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.conversation import notices
from gateway.network.people import addresses, way_choices
from gateway.network.receipts import receipts
from gateway.network.receipts.receipt_text import describe_counts, first_names, names, shorten
from gateway.network.receipts.receipts import MissedReader, ReceiptTally
from gateway.store.tables import Account, Address, Fanout, Post, Telling

AFTER: Final = timedelta(hours=1)  # the counts are sent when most carriers have called back
LATE: Final = timedelta(hours=1)  # R16
LISTED: Final = 1000  # people in the mail's list
IN_TEXT: Final = 6  # first names beside a mail that has the list
ALL_IN_TEXT: Final = 40  # of them without a mailbox: what does not fit in a text, MORE gives


def schedule(session: Session, fanout: Fanout, texts: int, many: int) -> None:
    """A fan-out has ended with that many texts: schedules a report when it was to a broadcast group or to more than
    `many` phones. Most posts cost no query."""
    if fanout.source_id != fanout.author_id or texts > many:
        session.execute(ARRANGE, {"post": fanout.post_id, "many": many, "after": AFTER})


def note_delays(session: Session) -> int:
    """Finds posts of which a mail could not be delivered for an hour; returns how many are new."""
    return len(session.execute(DELAYED, {"late": LATE}).all())


def due(session: Session, limit: int) -> Sequence[Telling]:
    """The oldest reports that are due, locked."""
    waiting = select(Telling).where(Telling.told_at.is_(None), Telling.due_at <= func.now())
    return session.scalars(waiting.order_by(Telling.due_at).limit(limit).with_for_update(skip_locked=True)).all()


def put_off(session: Session, post_id: int, kind: str, wait: timedelta) -> None:
    """Delays a report that could not be made: it is tried again after `wait`."""
    row = update(Telling).where(Telling.post_id == post_id, Telling.kind == kind)
    session.execute(row.values(due_at=func.now() + wait))


def tell(session: Session, telling: Telling) -> frozenset[str]:
    """Puts the report into the outbox and marks the row; returns the queues to wake. The author of a retracted post is
    told nothing."""
    telling.told_at = func.now()
    post = session.get_one(Post, telling.post_id)
    author = session.get_one(Account, post.author_id)
    if post.deleted_at is not None or author.state != "active":
        return frozenset()
    return _delay(session, post, author) if telling.kind == "delay" else _counts(session, post, author)


def _delay(session: Session, post: Post, author: Account) -> frozenset[str]:
    late = session.scalar(STILL_LATE, {"post": post.id, "late": LATE}) or 0
    if not late:
        return frozenset()
    words = say(
        '"{words}": {mails} could not be delivered within an hour. We keep trying for two days.',
        words=shorten(post.text),
        mails=count("{count} mail", "{count} mails", late),
    )
    return notices.tell(session, [author.id], words, quotes=(post.id,))


def _counts(session: Session, post: Post, author: Account) -> frozenset[str]:
    """A text with first names to the phone, and a mail with everybody and the reasons to the mailbox; an author who has
    only one of them, or prefers mails, gets that."""
    tally = receipts.tally(session, post.id)
    missed = receipts.list_missed(session, post.id, author.zone_now, LISTED)
    usable = [one for one in addresses.of_account(session, author.id) if one.is_primary and one.state == "verified"]
    if way_choices.prefers_mails(session, author.id) and way_choices.has_mailbox(session, author.id):
        usable = [one for one in usable if one.channel == EMAIL]
    channels = {one.channel for one in usable}
    text_, body = _text(post, tally, missed, by_mail=EMAIL in channels), _body(post, tally, missed)
    return _put(session, author, usable, text_, body, post)


def _put(
    session: Session, author: Account, to: Sequence[Address], text_: Phrase, body: Phrase, post: Post
) -> frozenset[str]:
    subject = say('Who got "{words}"', words=shorten(post.text))
    said, long, head = (translated(each, author.language) for each in (text_, body, subject))
    if to:
        targets = [Target(one.id, one.channel) for one in to]
        notice = Outgoing("notice", said, head, long, priority=notices.PRIORITY, quotes=(post.id,))
        outbox.put(session, notice, targets)
    return frozenset(one.channel for one in to)


def _text(post: Post, tally: ReceiptTally, missed: Sequence[MissedReader], *, by_mail: bool) -> Phrase:
    number = max(tally.missed, len(missed))
    who = first_names(missed, number, IN_TEXT) if by_mail else names(missed, number, ALL_IN_TEXT)
    there = say("Your mail has the list.") if by_mail and missed else ""
    return joined([say('After an hour, "{words}":', words=shorten(post.text)), describe_counts(tally), who, there])


def _body(post: Post, tally: ReceiptTally, missed: Sequence[MissedReader]) -> Phrase:
    lines: list[str] = [
        joined([say('After an hour, "{words}":', words=shorten(post.text)), describe_counts(tally)]),
        *_channel(tally),
    ]
    if missed:
        lines += ["", say("These people do not have it:")]
        lines += [say("{name}: {why}", name=one.name, why=one.why) for one in missed]
    if tally.missed > len(missed) >= LISTED:
        lines.append(count("and {count} more", "and {count} more", tally.missed - len(missed)))
    return joined([line or " " for line in lines], "\n")


BY: Final = {SMS: say("By text"), EMAIL: say("By mail"), PUSH: say("By push")}


def _channel(tally: ReceiptTally) -> list[str]:
    """One line for each channel that was used, with every count."""
    found: list[str] = []
    for channel, each in tally.by_channel.items():
        if each.got or each.failed or each.waiting or each.later or each.opted_out or each.on_web:
            line = say(
                "{channel}: {delivered} arrived, {sent} taken by the carrier, {waiting} waiting, {later} later,"
                " {on_web} on the web, {failed} failed, {opted_out} opted out",
                channel=BY[channel],
                delivered=each.delivered,
                sent=each.sent,
                waiting=each.waiting,
                later=each.later,
                on_web=each.on_web,
                failed=each.failed,
                opted_out=each.opted_out,
            )
            found.append(line)
    if tally.instead:
        found.append(count("{count} text went by mail instead", "{count} texts went by mail instead", tally.instead))
    return found


ARRANGE: Final = text("""
    INSERT INTO tellings (post_id, kind, due_at)
    SELECT p.id, 'counts', now() + CAST(:after AS interval) FROM posts p LEFT JOIN accounts g ON g.id = p.group_id
    WHERE p.id = :post AND (g.access = 'broadcast' AND p.visibility = 'group'
                            OR (SELECT sum(texts) FROM fanouts WHERE post_id = p.id) > :many)
    ON CONFLICT DO NOTHING
""")

# One index scan for each message that still has open mails, however many those are: deliveries_due gives the next.
DELAYED: Final = text("""
    WITH RECURSIVE open AS (
        (SELECT priority, message_id FROM deliveries
         WHERE channel = 'email' AND sender_id = 0 AND ended_at IS NULL AND state IN ('queued', 'retry')
         ORDER BY priority, message_id LIMIT 1)
        UNION ALL
        SELECT next.priority, next.message_id FROM open CROSS JOIN LATERAL (
            SELECT priority, message_id FROM deliveries
            WHERE channel = 'email' AND sender_id = 0 AND ended_at IS NULL AND state IN ('queued', 'retry')
              AND (priority, message_id) > (open.priority, open.message_id)
            ORDER BY priority, message_id LIMIT 1) AS next
    )
    INSERT INTO tellings (post_id, kind)
    SELECT DISTINCT m.post_id, 'delay' FROM open JOIN messages m ON m.id = open.message_id AND m.kind = 'update'
    WHERE m.post_id IS NOT NULL AND m.created_at < now() - CAST(:late AS interval)
      AND EXISTS (SELECT FROM deliveries d WHERE d.message_id = m.id AND d.channel = 'email' AND d.ended_at IS NULL
                  AND d.state IN ('queued', 'retry') AND d.created_at < now() - CAST(:late AS interval)
                  AND (d.state = 'retry' OR d.not_before < now() - CAST(:late AS interval)))
    ON CONFLICT DO NOTHING RETURNING post_id
""")

STILL_LATE: Final = text("""
    SELECT count(*) FROM messages m JOIN deliveries d ON d.message_id = m.id
    WHERE m.post_id = :post AND d.channel = 'email' AND d.ended_at IS NULL
      AND d.created_at < now() - CAST(:late AS interval)
""")
