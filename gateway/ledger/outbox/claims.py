"""Deliveries that a worker is sending: claimed with a lease, and given back when they did not leave.

The send loop of workers/deliver uses it. Of one lane, one author to one address, only one row is on its way at a time;
this keeps their order, and only what is urgent overtakes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.orm import Session

from gateway.channels import SMS
from gateway.ledger.outbox import email_fallback
from gateway.store.direct import DirectTransaction, Statement

Key = tuple[int, int]  # message, address
Senders = tuple[int, ...]  # ids of our numbers

NOBODY: Final[Senders] = (0,)  # the sender of a mail

# Reasons for which a text or a push goes to its reader's mailbox instead.
PHONES_FAULT: Final = ("suspended", "gave_up", "gone")


class ClaimedDelivery(NamedTuple):
    """One delivery that this worker is sending. `attempt_id` is in its callback token, and tells when it was claimed;
    `number` fences it against a later attempt."""

    attempt_id: int
    message_id: int
    address_id: int
    number: int
    address: str
    tag: str | None
    possible_duplicate: bool
    source_id: int | None  # the account, topic or track whose follow brings it
    source: str | None  # its handle; topic or track and its id
    introduces: str | None = None  # on the first text to a phone: the language in which to say who we are
    language: str | None = None  # of a mail: the language of its reader
    follows: str | None = None  # of a mail: what its reader follows: Kim Lee (@kim), Sales (#sales), #win, "acme"
    prefers_mails: bool = False  # of a mail: its reader has mails instead of texts
    before: str = ""  # of a call: what its reader is told before its words, and after them
    after: str = ""

    @property
    def key(self) -> Key:
        return self.message_id, self.address_id


@dataclass(frozen=True, slots=True)
class MessageContent:
    """A message with what is needed to render it; it is the same for all who get it."""

    message_id: int
    kind: str
    text: str
    subject: str
    body: str
    author_id: int | None
    author: str | None  # handle
    author_name: str | None
    post_id: int | None
    private: bool  # a direct post, or one to a closed group: its body is not behind a link
    group: str | None  # handle
    parents: tuple[int, ...]  # the posts above it in its thread, the first one first, at most THREAD
    answers: str | None  # Message-ID of the mail that it answers
    created_at: datetime
    group_id: int | None = None
    must_arrive: bool = False
    attached: str | None = None  # the post's attachments as a text names them: photo, 2 files
    files: tuple[tuple[str, int | None], ...] = ()  # names and sizes of the attachments, as far as they are known
    direct: bool = False  # only for the people whom it names
    access: str | None = None  # the group's
    lang: str | None = None  # the language of the words, when the writer gave it
    inbound_id: int | None = None
    quotes: tuple[int, ...] = ()  # posts whose words are in it, besides the one it carries
    digest: str | None = None  # the kind of digest that it is: day, week, now, wake, back or over
    alone: bool = False  # it has a subject of its own, for a post above it in the thread was deleted
    urgent: bool = False  # it goes before everything else
    call: str | None = None  # rollcall or ask: its post asks each reader to answer

    @property
    def sources(self) -> tuple[int, ...]:
        """The posts whose words are in it."""
        return (self.post_id,) if self.post_id else self.quotes


def claim(
    session: Session, channel: str, owner: str, lease: timedelta, limit: int, senders: Senders = NOBODY
) -> list[ClaimedDelivery]:
    """Claims up to `limit` due rows, the most urgent first; each is `sending` now and has a new attempt. `senders`, for
    texts: the numbers whose rows are taken; all of them leave from the first one."""
    values = {"channel": channel, "owner": owner, "lease": lease}
    return [ClaimedDelivery(*row) for row in session.execute(_claim(channel, limit, NOT_SUSPECT, senders), values)]


def claim_suspect(
    session: Session, channel: str, owner: str, lease: timedelta, senders: Senders = NOBODY
) -> list[ClaimedDelivery]:
    """Claims one row that was on its way when two workers were lost: it goes alone, so that no other is blamed with
    it."""
    values = {"channel": channel, "owner": owner, "lease": lease}
    return [ClaimedDelivery(*row) for row in session.execute(_claim(channel, 1, SUSPECT, senders), values)]


def claiming_texts(limit: int, sender: int, unusual: str) -> Statement:
    """The statement that claims the texts of one number and brings at once what they say, whether anything is unusual
    about each, and whether texts wait for a number of their own; that comes alone when nothing is due. `unusual`: a
    query that has a row for an unusual delivery `d` of the message `m`."""
    parts = {"tags": TAGS, "first": FIRST, "senders": str(int(sender)), "sender": int(sender), "limit": int(limit)}
    take = TAKE.format(suspect=NOT_SUSPECT, **parts)
    found = FOUND.format(framed=f", taken.priority, {WORDS}", reader=WORDS_FROM.format(unusual=unusual))
    return Statement(f"""
        {take}, found AS MATERIALIZED ({found})
        SELECT waits.unassigned, found.*
        FROM (SELECT EXISTS (
            SELECT FROM deliveries WHERE channel = 'sms' AND sender_id = 0 AND ended_at IS NULL
              AND state IN ('queued', 'retry')) AS unassigned) AS waits
        LEFT JOIN found ON true ORDER BY found.priority, found.message_id, found.address_id
    """)  # noqa: S608 - put together from constants


class ClaimedWords(NamedTuple):
    """A row of that statement: what is sent, what it says, and whether anything is unusual about it."""

    claimed: ClaimedDelivery
    content: MessageContent
    unusual: bool


def claimed_words(row: Sequence[Any]) -> ClaimedWords:
    """Reads a row of that statement, without its first column."""
    words = dict(zip(_WORDS, row[11:], strict=False))
    content = MessageContent(message_id=row[1], subject="", body="", parents=(), answers=None, **words)
    return ClaimedWords(ClaimedDelivery(*row[:10]), content, bool(row[-1]))


def renew(session: Session, owner: str, lease: timedelta) -> None:
    """Renews the leases of this worker. A lease that has run out is not renewed."""
    session.execute(RENEW, {"owner": owner, "lease": lease})


def keep(session: Session, claimed: Sequence[ClaimedDelivery], owner: str, lease: timedelta) -> list[ClaimedDelivery]:
    """Renews the leases of these rows, and returns those that this worker still has: until this transaction ends nobody
    else changes them. A worker that was stopped for a while may have lost some."""
    values = {**_keys(claimed), "numbers": [one.number for one in claimed], "owner": owner, "lease": lease}
    extended = {(row.message_id, row.address_id) for row in session.execute(KEEP, values)} if claimed else set()
    return [one for one in claimed if one.key in extended]


def cancel(session: Session, claimed: Sequence[ClaimedDelivery], reasons: Mapping[Key, str]) -> None:
    """Ends rows that were claimed in this transaction and must not leave. The reason gave_up makes them failed, any
    other cancelled."""
    refused = [one for one in claimed if one.key in reasons]
    if refused:
        session.execute(CANCEL, {**_keys(refused), "reasons": [reasons[one.key] for one in refused]})
        session.execute(FORGET, {"attempts": [one.attempt_id for one in refused]})
        email_fallback.send_by_mail(session, [key for key, reason in reasons.items() if reason in PHONES_FAULT])


def release(session: Session, claimed: Sequence[ClaimedDelivery], wait: timedelta) -> None:
    """Gives back rows that surely did not leave, as if they had not been claimed."""
    if claimed:
        session.execute(RELEASE, {**_keys(claimed), "numbers": [one.number for one in claimed], "wait": wait})
        session.execute(FORGET, {"attempts": [one.attempt_id for one in claimed]})


def release_directly(transaction: DirectTransaction, claimed: Sequence[ClaimedDelivery]) -> None:
    """The same at once, in a transaction of its own."""
    given = {**_keys(claimed), "numbers": [one.number for one in claimed], "wait": timedelta(0)}
    transaction.finish((RELEASE_DIRECTLY, given), (FORGET_DIRECTLY, {"attempts": [one.attempt_id for one in claimed]}))


def contents(session: Session, message_ids: Iterable[int]) -> dict[int, MessageContent]:
    """The contents of these messages, by id."""
    rows = session.execute(CONTENTS, {"ids": list(message_ids), "thread": THREAD})
    found = (MessageContent(**{**row, **_lists(row)}) for row in rows.mappings())
    return {one.message_id: one for one in found}


def _lists(row: RowMapping) -> dict[str, tuple[Any, ...]]:
    return {
        "parents": tuple(row["parents"] or ()),
        "files": tuple((name, size) for name, size in row["files"] or ()),
        "quotes": tuple(row["quotes"] or ()),
    }


def _keys(claimed: Sequence[ClaimedDelivery]) -> dict[str, list[int]]:
    return {
        "messages": [one.message_id for one in claimed],
        "addresses": [one.address_id for one in claimed],
    }


@lru_cache(maxsize=256)
def _claim(channel: str, limit: int, suspect: str, senders: Senders) -> TextClause:
    """The limit is part of the statement, not a parameter, for the planner must know how few rows are wanted. So are
    the senders: with a single one the index gives the rows in order."""
    tags, first = (TAGS, FIRST) if channel == SMS else (NO_TAGS, "false")
    among = ", ".join(str(int(one)) for one in senders)
    parts = {"tags": tags, "first": first, "senders": among, "sender": int(senders[0])}
    parts["framed"], parts["reader"] = ("", "") if channel == SMS else (FRAMED, READER)
    return text(CLAIM.format(limit=int(limit), suspect=suspect, **parts))


# One lost worker may have had hundreds of rows: these go on in batches as before. A row that was with two lost workers
# goes alone, so that the third loss (settlements.CRASHES) can only be the fault of that row.
SUSPECT: Final = "d.reason = 'crash' AND d.attempt > 1"
NOT_SUSPECT: Final = "(d.reason IS DISTINCT FROM 'crash' OR d.attempt = 1)"

# What is urgent (priority 0) may overtake what is stuck before it in its lane; nothing else does. It is asked about
# apart, so that the check of all others needs the index of lanes alone. OFFSET 0 keeps the planner from turning the
# check of each lane into a join over all open rows.
TAKE: Final = """
    WITH due AS MATERIALIZED (
        SELECT d.message_id, d.address_id, d.author_id, d.priority FROM deliveries d
        WHERE d.channel = :channel AND d.sender_id IN ({senders})
          AND d.ended_at IS NULL AND d.state IN ('queued', 'retry') AND d.not_before <= now() AND {suspect}
          AND (NOT EXISTS (SELECT FROM deliveries earlier
                           WHERE earlier.address_id = d.address_id AND earlier.author_id = d.author_id
                             AND earlier.message_id < d.message_id AND earlier.ended_at IS NULL OFFSET 0)
               OR d.priority = 0 AND NOT EXISTS (
                   SELECT FROM deliveries earlier
                   WHERE earlier.address_id = d.address_id AND earlier.author_id = d.author_id
                     AND earlier.message_id < d.message_id AND earlier.ended_at IS NULL AND earlier.priority = 0
                   OFFSET 0))
        ORDER BY d.priority, d.message_id LIMIT {limit} FOR UPDATE OF d SKIP LOCKED
    ), tagged AS ({tags}
    ), taken AS (
        UPDATE deliveries d
        SET state = 'sending', attempt = d.attempt + 1, sender_id = {sender},
            lease_until = now() + :lease, lease_owner = :owner,
            tag = coalesce(d.tag, tagged.tag), introduces = d.introduces OR {first}
        FROM tagged WHERE d.message_id = tagged.message_id AND d.address_id = tagged.address_id
        RETURNING tagged.attempt_id, d.message_id, d.address_id, d.attempt, d.priority, d.tag, d.possible_duplicate,
                  d.source_id, d.introduces, d.author_id, d.give_up_at
    )"""
FOUND: Final = """
    SELECT taken.attempt_id, taken.message_id, taken.address_id, taken.attempt, addresses.address, taken.tag,
           taken.possible_duplicate, taken.source_id, coalesce(source.handle, 'topic' || topic.id,
               (SELECT 'track' || id FROM tracks WHERE id = taken.source_id)),
           CASE WHEN taken.introduces THEN coalesce(
               (SELECT language FROM accounts WHERE id = addresses.account_id), 'en') END AS introduces{framed}
    FROM taken JOIN addresses ON addresses.id = taken.address_id
    LEFT JOIN accounts source ON source.id = taken.source_id
    LEFT JOIN topics topic ON topic.id = taken.source_id{reader}
    ORDER BY taken.priority, taken.message_id, taken.address_id
"""
CLAIM: Final = TAKE + FOUND

FIRST: Final = "(SELECT introduced_at IS NULL FROM addresses WHERE id = d.address_id)"

# What a mail says around the words of its message.
FRAMED: Final = """,
           reader.language,
           coalesce(source.name || CASE source.kind WHEN 'group' THEN ' (#' ELSE ' (@' END || source.handle || ')',
                    '#' || topic.tag, (SELECT '"' || shown || '"' FROM tracks WHERE id = taken.source_id)) AS follows,
           coalesce(reader.chooses AND EXISTS (
               SELECT FROM attention w WHERE w.account_id = reader.id AND w.prefer = 'mail'), false) AS prefers_mails"""
READER: Final = """
    LEFT JOIN accounts reader ON reader.id = addresses.account_id"""

# What is needed to render a text and to know what it costs; mails need more (CONTENTS).
_WORDS: Final = (
    "kind", "text", "author_id", "author", "author_name", "post_id", "private", "group", "created_at", "group_id",
    "must_arrive", "attached", "urgent", "call",
)  # fmt: skip
WORDS: Final = """m.kind, m.text, m.author_id, NULL::text AS author, NULL::text AS author_name, m.post_id,
           coalesce(post.visibility = 'direct' OR target.access = 'closed', false) AS private, NULL::text AS "group",
           m.created_at, post.group_id, m.must_arrive, post.attached, m.priority = 0 AS urgent, post.call,
           odd.unusual"""
WORDS_FROM: Final = """
    JOIN messages m ON m.id = taken.message_id
    LEFT JOIN posts post ON post.id = m.post_id
    LEFT JOIN accounts target ON target.id = post.group_id
    CROSS JOIN LATERAL (SELECT EXISTS ({unusual}) AS unusual) odd"""

NO_TAGS: Final = "SELECT message_id, address_id, NULL::text AS tag, new_id() AS attempt_id FROM due"

# A text gets a tag when another post went to that phone within the last half hour, or goes with the same claim: a
# letter of the author's handle, and the digit after the last one used, so that ten in a row differ.
TAGS: Final = """
        SELECT item.message_id, item.address_id, new_id() AS attempt_id,
               CASE WHEN item.author_id > 0 AND (last.digit IS NOT NULL OR item.place > 1)
                    THEN coalesce(substring(author.handle FROM '[a-z]'), 'x')
                         || (coalesce(last.digit, -1) + item.place) % 10 END AS tag
        FROM (SELECT *, row_number() OVER (PARTITION BY address_id, author_id > 0 ORDER BY priority, message_id)
              AS place FROM due) item
        LEFT JOIN accounts author ON author.id = item.author_id
        LEFT JOIN LATERAL (
            SELECT coalesce(right(sent.tag, 1)::int, 0) AS digit FROM deliveries sent
            WHERE sent.address_id = item.address_id AND sent.author_id > 0
              AND sent.message_id >= id_at(now() - interval '40 minutes')
              AND sent.sent_at > now() - interval '30 minutes'
            ORDER BY sent.message_id DESC LIMIT 1) last ON true"""

RENEW: Final = text("""
    UPDATE deliveries SET lease_until = now() + :lease
    WHERE ended_at IS NULL AND state = 'sending' AND lease_owner = :owner AND lease_until >= now()
""")

KEEP: Final = text("""
    UPDATE deliveries d SET lease_until = now() + :lease
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:numbers AS smallint[]))
         AS given (message_id, address_id, number)
    WHERE d.message_id = given.message_id AND d.address_id = given.address_id
      AND given.number = CASE WHEN d.state = 'sending' AND d.lease_owner = :owner THEN d.attempt END
    RETURNING d.message_id, d.address_id
""")

CANCEL: Final = text("""
    UPDATE deliveries d
    SET state = CASE given.reason WHEN 'gave_up' THEN 'failed' ELSE 'cancelled' END, reason = given.reason,
        ended_at = now(), lease_until = NULL, lease_owner = NULL
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:reasons AS text[]))
         AS given (message_id, address_id, reason)
    WHERE d.message_id = given.message_id AND d.address_id = given.address_id
""")

RELEASE: Final = text("""
    UPDATE deliveries d
    SET state = CASE WHEN d.attempt = 1 THEN 'queued' ELSE 'retry' END, attempt = d.attempt - 1,
        not_before = now() + :wait, lease_until = NULL, lease_owner = NULL
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:numbers AS smallint[]))
         AS given (message_id, address_id, number)
    WHERE d.message_id = given.message_id AND d.address_id = given.address_id
      AND given.number = CASE d.state WHEN 'sending' THEN d.attempt END
""")

FORGET: Final = text("DELETE FROM attempts WHERE id = ANY (CAST(:attempts AS bigint[])) AND state = 'sending'")

RELEASE_DIRECTLY, FORGET_DIRECTLY = Statement(str(RELEASE)), Statement(str(FORGET))

THREAD: Final = 20  # posts above one in its thread: enough for every mail program to sort it into the thread

CONTENTS: Final = text("""
    SELECT m.id AS message_id, m.kind, m.text, m.subject, m.body, m.author_id,
           author.handle AS author, author.name AS author_name, m.post_id,
           coalesce(post.visibility = 'direct' OR target.access = 'closed', false) AS private,
           target.handle AS "group",
           (WITH RECURSIVE above AS (
                SELECT post.in_reply_to AS id, 1 AS depth WHERE post.in_reply_to IS NOT NULL
                UNION ALL
                SELECT parent.in_reply_to, depth + 1 FROM above JOIN posts parent ON parent.id = above.id
                WHERE parent.in_reply_to IS NOT NULL AND depth < :thread)
            SELECT array_agg(id ORDER BY depth DESC) FROM above) AS parents,
           CASE WHEN m.kind IN ('answer', 'code') AND inbound.channel = 'email' THEN inbound.message_id END AS answers,
           m.created_at, post.group_id, m.must_arrive, coalesce(post.visibility = 'direct', false) AS direct,
           target.access, post.lang, m.inbound_id, post.attached,
           CASE WHEN post.attached IS NOT NULL THEN
               (SELECT jsonb_agg(jsonb_build_array(coalesce(file.name, ''), file.size) ORDER BY file.number)
                FROM media file WHERE file.upload_id = post.upload_id AND file.state <> 'failed') END AS files,
           m.quotes,
           post.in_reply_to IS NOT NULL AND EXISTS (
               WITH RECURSIVE above AS (
                   SELECT parent.id, parent.in_reply_to, parent.deleted_at, 1 AS depth
                   FROM posts parent WHERE parent.id = post.in_reply_to
                   UNION ALL
                   SELECT parent.id, parent.in_reply_to, parent.deleted_at, depth + 1
                   FROM above JOIN posts parent ON parent.id = above.in_reply_to WHERE depth < :thread)
               SELECT FROM above WHERE deleted_at IS NOT NULL) AS alone,
           m.priority = 0 AS urgent, post.call
    FROM messages m
    LEFT JOIN accounts author ON author.id = m.author_id
    LEFT JOIN posts post ON post.id = m.post_id
    LEFT JOIN accounts target ON target.id = post.group_id
    LEFT JOIN inbound ON inbound.id = m.inbound_id
    WHERE m.id = ANY (CAST(:ids AS bigint[]))
""")
