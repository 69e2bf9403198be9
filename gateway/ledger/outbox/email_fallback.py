"""Email fallback: a text that its phone could not get, or a push that no device could get, goes to the reader's
mailbox, once, and says why.

All code that ends one which did not arrive calls `send_by_mail` in the same transaction: settlements, attempts, claims,
and whatever cancels the texts of a suspended phone. It never happens because of an opt-out: whoever opted out of texts
is not sent mails instead.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gateway.channels import MAILS
from gateway.i18n.phrases import translated
from gateway.mail.bounces.failure_reasons import INSTEAD
from gateway.store.arrays import numbers


def send_by_mail(session: Session, keys: Iterable[tuple[int, int]]) -> int:
    """Takes those of these deliveries (message, address) that are texts or pushes and ended for a reason of the phone
    or the devices. Their words go to the person's primary verified mailbox, in a copy of the message that ends with
    the reason. Returns how many.

    The audience of a post is checked as for any mail: audience/visibility decides when it is about to leave.
    """
    wanted = sorted(set(keys))
    if not wanted:
        return 0
    messages, addresses = (numbers(key[place] for key in wanted) for place in (0, 1))
    given = {"messages": messages, "addresses": addresses, "reasons": list(INSTEAD)}
    ended = session.execute(ENDED, given).all()
    return _put(session, ended) if ended else 0


def _put(session: Session, ended: Sequence[Row[Any]]) -> int:
    notes = [translated(INSTEAD[row.reason], row.language) for row in ended]
    rows = {
        "messages": numbers(row.message_id for row in ended),
        "addresses": numbers(row.address_id for row in ended),
        "mailboxes": numbers(row.mailbox_id for row in ended),
        "reasons": [row.reason for row in ended],
        "notes": notes,
    }
    copies = sorted({(row.message_id, note) for row, note in zip(ended, notes, strict=True)})
    pairs = {"messages": numbers(message for message, _ in copies), "notes": [note for _, note in copies]}
    session.execute(COPY, pairs)
    return len(session.execute(PUT, {**rows, "mail": MAILS.gives_up_after}).all())


# Only updates and notices: an answer belongs to the phone that asked, and a code proves the phone. An urgent call that
# was answered, or mailed in a later step, needs no mail; nor does a push that comes to the phone when it is not seen.
ENDED: Final = text("""
    SELECT d.message_id, d.address_id, reader.language,
           CASE WHEN d.channel = 'push' AND d.reason <> 'gone' THEN 'not_pushed' ELSE d.reason END AS reason,
           mailbox.id AS mailbox_id
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[])) AS k (message_id, address_id)
    JOIN deliveries d USING (message_id, address_id)
    JOIN messages m ON m.id = d.message_id AND m.kind IN ('update', 'notice')
    JOIN addresses phone ON phone.id = d.address_id AND phone.state <> 'stopped' AND phone.stopped_at IS NULL
    JOIN accounts reader ON reader.id = phone.account_id AND reader.state = 'active'
    JOIN addresses mailbox ON mailbox.account_id = reader.id AND mailbox.channel = 'email' AND mailbox.is_primary
         AND mailbox.state = 'verified'
    LEFT JOIN accounts author ON author.id = d.author_id
    WHERE d.channel IN ('sms', 'push') AND d.ended_at IS NOT NULL AND author.state IS DISTINCT FROM 'suspended'
      AND (d.state = 'failed' AND d.reason = ANY (CAST(:reasons AS text[]))
           OR d.state = 'cancelled' AND d.reason = 'suspended' AND phone.state = 'suspended'
           OR d.channel = 'push' AND (d.state = 'failed' OR d.state = 'cancelled' AND d.reason = 'gone'))
      AND NOT (d.channel = 'push' AND EXISTS (
          SELECT FROM held h WHERE h.message_id = d.message_id AND h.account_id = reader.id AND h.state = 'waiting'))
      AND NOT EXISTS (SELECT FROM deliveries mine WHERE mine.message_id = d.message_id
                      AND mine.address_id = mailbox.id)
      AND NOT EXISTS (SELECT FROM call_people asked WHERE asked.post_id = m.post_id AND asked.account_id = reader.id
                      AND (asked.answered_at IS NOT NULL OR asked.step > 0))
    ORDER BY d.message_id, d.address_id
""")

COPY: Final = text("""
    INSERT INTO messages (kind, author_id, post_id, inbound_id, priority, must_arrive, text, subject, body,
                          instead_of, note, quotes)
    SELECT m.kind, m.author_id, m.post_id, m.inbound_id, m.priority, m.must_arrive, m.text, m.subject,
           m.body || E'\\n\\n' || k.note, m.id, k.note, m.quotes
    FROM unnest(CAST(:messages AS bigint[]), CAST(:notes AS text[])) AS k (message_id, note)
    JOIN messages m ON m.id = k.message_id
    ON CONFLICT (instead_of, note) WHERE instead_of IS NOT NULL DO NOTHING
""")

# The row in fallbacks makes it happen only once: a second caller inserts nothing.
PUT: Final = text("""
    WITH given AS (
        SELECT * FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:mailboxes AS bigint[]),
                             CAST(:reasons AS text[]), CAST(:notes AS text[]))
                 AS row (message_id, address_id, mailbox_id, reason, note)
    ), fallen AS (
        INSERT INTO fallbacks (message_id, address_id, mail_id, mailbox_id, reason)
        SELECT given.message_id, given.address_id, copy.id, given.mailbox_id, given.reason
        FROM given JOIN messages copy ON copy.instead_of = given.message_id AND copy.note = given.note
        ON CONFLICT DO NOTHING
        RETURNING message_id, address_id, mail_id, mailbox_id
    )
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, give_up_at)
    SELECT fallen.mail_id, fallen.mailbox_id, d.author_id, d.source_id, 'email', d.priority, now() + :mail
    FROM fallen JOIN deliveries d ON d.message_id = fallen.message_id AND d.address_id = fallen.address_id
    ON CONFLICT DO NOTHING
    RETURNING address_id
""")
