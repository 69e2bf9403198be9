"""The daily mail for those who follow nobody yet: what colleagues wrote that everyone may read. workers/daily_mail
writes it; mail_routing and handlers ask which update an answer to it means, and whether somebody wants it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from typing import Final, NamedTuple

from sqlalchemy import func, insert, select, text, union, update
from sqlalchemy.orm import Session

from gateway.attention import zones
from gateway.i18n.phrases import count, joined, say, translated
from gateway.i18n.phrases import listed as enumerated
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import OwnMessage
from gateway.network.digests import update_list
from gateway.network.digests.update_list import ListedUpdate
from gateway.security.signed_tokens import Signer
from gateway.store.tables import Account, Attention, DailyMail

PICKS: Final = 8
PRIORITY: Final = 9
LANE: Final = -1  # a lane of its own, beside Critter's other words: no answer waits for it
OPEN_HOURS: Final = 12  # from that hour on: after an outage in the morning it still writes at noon, but not at night


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets one, where, and the id that its message will have."""

    account_id: int
    address_id: int
    language: str
    message_id: int
    picks: tuple[ListedUpdate, ...]


@dataclass(frozen=True, slots=True)
class ComposedDailyMail:
    """A mail before it is put into the outbox."""

    reader: Reader
    subject: str
    body: str


def subscribe(session: Session, account_id: int, wanted: bool) -> bool:
    """Does what `on daily`, `off daily` and the link in the mail say; False when it was so already."""
    mine = update(Account).where(Account.id == account_id, Account.daily != wanted)
    return session.scalar(mine.values(daily=wanted).returning(Account.id)) is not None


def write(session: Session, signer: Signer, domain: str, company: str, hour: int, most: int) -> tuple[int, int]:
    """Looks at up to `most` people for whom it is morning: (how many were looked at, how many get a mail). All of it is
    one transaction, so that no crash makes anybody get two on one day."""
    days = _open_days(session, hour)
    if not days:
        return 0, 0
    zones, dates = list(days), list(days.values())
    rows = session.execute(LOOK, {"zones": zones, "dates": dates, "most": most}).all()
    if not rows:
        return 0, 0
    picks = _picks(session, [row.id for row in rows])
    readers = [
        Reader(row.id, row.address_id, row.language, row.message_id, tuple(picks[row.id]))
        for row in rows
        if row.id in picks
    ]
    frame, subject = cache(partial(_frame, company)), cache(_subject)  # for this batch: many have the same words
    written = [
        ComposedDailyMail(
            one,
            subject(one.language, *(pick.name for pick in one.picks)),
            _body(one, frame(one.language, one.picks[0].handle), signer, domain),
        )
        for one in readers
    ]
    if written:
        _put(session, written)
    return len(rows), len(readers)


def _open_days(session: Session, hour: int) -> dict[str, date]:
    """The time zones where people live or are, in which it is `hour` or some hours later, and which day it is there. It
    is computed in Python, because one zone that PostgreSQL does not know would fail the whole statement."""
    now: datetime = session.execute(select(func.now())).scalar_one()
    homes = select(Account.timezone).where(Account.kind == "person", Account.state == "active")
    away = select(Attention.zone).where(Attention.zone.is_not(None))
    local = {zone: now.astimezone(zones.zone(zone)) for zone in session.scalars(union(homes, away))}
    return {zone: at.date() for zone, at in local.items() if hour <= at.hour < hour + OPEN_HOURS}


def _picks(session: Session, readers: Sequence[int]) -> dict[int, list[ListedUpdate]]:
    """The updates for each of them who has any; the same statement records them as seen."""
    found: dict[int, list[ListedUpdate]] = {}
    for row in session.execute(PICK, {"readers": readers, "picks": PICKS}):
        place = f"#{row.in_group}" if row.in_group else ""
        found.setdefault(row.reader_id, []).append(ListedUpdate(row.post_id, row.name, row.handle, place, row.text))
    return found


class DailyLayout(NamedTuple):
    """What is around the updates, in one language; the subject names the first of their writers."""

    opening: str
    answer: str
    follow: str
    closing: str


def _frame(company: str, language: str, handle: str) -> DailyLayout:
    opening = say(
        "What colleagues at {company} wrote lately. You get this once a day until you follow somebody.",
        company=company,
    )
    closing = joined(
        [
            say("Reply to this mail with a number and your words, like: 1 I can help"),
            say("Or reply with just a command: follow {handle}, whois {handle}, help.", handle=handle),
            say("To stop this mail: OFF DAILY. To get it back: ON DAILY"),
        ],
        "\n",
    )
    return DailyLayout(*(translated(each, language) for each in (opening, say("Answer:"), say("Follow:"), closing)))


def _subject(language: str, *names: str) -> str:
    """The subject says who wrote, because names make people open a mail."""
    first, more = ", ".join(names[:2]), len(names) - 2
    who = enumerated([first, count("{count} more", "{count} more", more)]) if more > 0 else first
    return translated(say("What your colleagues are doing: {names}", names=who), language)


def _body(reader: Reader, frame: DailyLayout, signer: Signer, domain: str) -> str:
    items = [_item(number, pick, reader, frame, signer, domain) for number, pick in enumerate(reader.picks, 1)]
    return "\n\n".join([frame.opening, *items, frame.closing])


def _item(number: int, pick: ListedUpdate, reader: Reader, frame: DailyLayout, signer: Signer, domain: str) -> str:
    """One update, with a second address to which an empty mail is enough."""
    listed = update_list.line(number, pick, frame.answer, reader.address_id, signer, domain)
    return f"{listed}\n   {frame.follow} {pick.handle}+join@{domain}"


def _put(session: Session, written: Sequence[ComposedDailyMail]) -> None:
    mails = [
        OwnMessage(one.reader.message_id, one.reader.address_id, PRIORITY, one.subject, one.body) for one in written
    ]
    outbox.put_own(session, "daily", mails, LANE)
    readers = [one.reader for one in written]
    numbers = [
        {"message_id": one.message_id, "account_id": one.account_id, "posts": [pick.post_id for pick in one.picks]}
        for one in readers
    ]
    session.execute(insert(DailyMail), numbers)


# Whoever was looked at is done for that day, with or without news: the mail comes in the morning or not at all. Who has
# just joined is welcomed by another mail.
LOOK: Final = text("""
    WITH open AS (
        SELECT * FROM unnest(CAST(:zones AS text[]), CAST(:dates AS date[])) AS zone (name, today)
    ), due AS MATERIALIZED (
        SELECT p.id, open.today, a.id AS address_id FROM accounts p
        LEFT JOIN attention w ON w.account_id = p.id AND w.zone IS NOT NULL
        JOIN open ON open.name = zone_in_force(p.timezone, w.zone, w.zone_until)
        JOIN addresses_now a ON a.account_id = p.id AND a.channel = 'email' AND a.is_primary AND a.state = 'verified'
         AND a.receives
        WHERE p.kind = 'person' AND p.state = 'active' AND p.daily
          AND (p.daily_on IS NULL OR p.daily_on < open.today) AND p.created_at < now() - interval '12 hours'
          AND NOT EXISTS (SELECT FROM follows_in_force f WHERE f.follower_id = p.id)
          AND NOT EXISTS (SELECT FROM topic_follows_in_force t WHERE t.follower_id = p.id)
        ORDER BY p.id LIMIT :most FOR NO KEY UPDATE OF p SKIP LOCKED
    )
    UPDATE accounts p SET daily_on = due.today FROM due WHERE p.id = due.id
    RETURNING p.id, due.address_id, p.language, new_id() AS message_id
""")

# The newest update of each colleague that everyone may read, the newest colleagues first; never what the reader wrote,
# what they had already, or what a block or a mute keeps from them. Answers and repeats tell strangers little, so they
# are left out.
PICK: Final = text("""
    WITH latest AS (
        SELECT DISTINCT ON (recent.author_id) recent.* FROM (
            SELECT post.id, post.author_id, post.group_id, post.text, author.name, author.handle, g.handle AS in_group
            FROM posts post JOIN accounts author ON author.id = post.author_id AND author.state = 'active'
            LEFT JOIN accounts g ON g.id = post.group_id
            WHERE post.id > id_at(now() - interval '3 days') AND post.deleted_at IS NULL
              AND post.in_reply_to IS NULL AND post.repeat_of IS NULL
              AND (post.visibility = 'company'
                   OR post.visibility = 'group' AND g.access = 'open' AND g.state = 'active')
            ORDER BY post.id DESC LIMIT 400
        ) AS recent ORDER BY recent.author_id, recent.id DESC
    ), newest AS MATERIALIZED (
        SELECT * FROM latest ORDER BY id DESC LIMIT 40
    ), chosen AS (
        SELECT reader.id AS reader_id, pick.* FROM accounts reader
        CROSS JOIN LATERAL (
            SELECT newest.* FROM newest
            WHERE newest.author_id <> reader.id AND newest.id > reader.daily_upto
              AND NOT EXISTS (
                SELECT FROM silences_in_force s
                WHERE s.account_id = reader.id AND s.other_id IN (newest.author_id, newest.group_id))
              AND NOT EXISTS (
                SELECT FROM silences_in_force s WHERE s.account_id = newest.author_id AND s.other_id = reader.id
                  AND s.kind = 'block')
            ORDER BY newest.id DESC LIMIT :picks
        ) AS pick
        WHERE reader.id = ANY (CAST(:readers AS bigint[]))
    ), seen AS (
        UPDATE accounts p SET daily_upto = had.upto
        FROM (SELECT reader_id, max(id) AS upto FROM chosen GROUP BY reader_id) AS had WHERE p.id = had.reader_id
    )
    SELECT reader_id, id AS post_id, name, handle, in_group, text FROM chosen ORDER BY reader_id, id DESC
""")
