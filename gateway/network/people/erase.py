"""Erases a person from the database (R52). A tombstone stays, so that what others can see still leads somewhere.

Their words are removed, their addresses deleted, their names taken out of what others wrote. What must be kept longer
does not show who they were: ids, the keyed hashes by which a repeated web hook has no effect, and the hash of a phone
that opted out. The audit needs no change, for it names nobody. `critter erase` and a restore call it.
"""

# ruff: noqa: S608 - the statements are put together from constants of this file

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from gateway.ledger.audit import audit_log
from gateway.network.people.addresses import cancel_open, cancel_words
from gateway.network.people.name_patterns import patterns
from gateway.store.tables import Account, Address

REMOVED: Final = "(removed)"
DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of each table changed, and the files (SHA-256, hex) that their rows referred to."""

    rows: Mapping[str, int]
    pictures: Sequence[str]


def preview(session: Session, person: Account) -> dict[str, int]:
    """What there is of theirs, counted."""
    return dict(session.execute(COUNTS, {"account": person.id}).mappings().one())


def erase(session: Session, person: Account, actor: str) -> Erased:
    """Erases everything in this transaction. Somebody who is a tombstone already is not changed."""
    if person.handle == tombstone(person.id):
        return Erased({}, ())
    session.execute(text("SET LOCAL statement_timeout = '15min'"))
    given = _given(session, person)
    session.execute(LOCK, given)
    cancel_words(session, person.id, "erased")
    cancel_open(session, _addresses(person.id), "erased")
    pictures = session.scalars(PICTURES, given).all()
    rows = {name: session.execute(text(statement), given).rowcount for name, statement in STEPS}  # type: ignore[attr-defined]
    session.expire_all()
    changed = {name: count for name, count in rows.items() if count}
    audit_log.record(session, actor, "people.erase", person.id, changed)
    return Erased(changed, pictures)


def tombstone(account_id: int) -> str:
    """The handle that replaces theirs."""
    made = ""
    while account_id:
        account_id, digit = divmod(account_id, 36)
        made = DIGITS[digit] + made
    return f"gone_{made}"


def _addresses(account_id: int) -> Select[int]:
    return select(Address.id).where(Address.account_id == account_id)


def _given(session: Session, person: Account) -> dict[str, object]:
    aliases = session.scalars(text("SELECT alias FROM aliases WHERE account_id = :id"), {"id": person.id}).all()
    known = session.scalars(text(KNOWN), {"id": person.id}).all()
    gone = tombstone(person.id)
    found = patterns(person.handle, person.name, aliases, known)
    return {"account": person.id, "gone": gone, **found._asdict(), "removed": REMOVED}


LOCK: Final = text("""
    UPDATE accounts SET state = 'deactivated', deactivated_at = coalesce(deactivated_at, now()) WHERE id = :account
""")

# After a number went to somebody else it is kept as "NUMBER until ID" with its last owner.
KNOWN: Final = """
    SELECT DISTINCT split_part(address, ' until ', 1) FROM addresses
    WHERE account_id = :id AND address NOT LIKE 'erased %'
"""

_MINE: Final = "(SELECT id FROM addresses WHERE account_id = :account)"
_INPUTS: Final = """(i.account_id = :account OR (i.channel, i.sender) IN (
    SELECT channel, address FROM addresses WHERE account_id = :account))"""
_OPEN: Final = "EXISTS (SELECT FROM deliveries o WHERE o.message_id = m.id AND o.ended_at IS NULL)"
_WROTE: Final = "(SELECT id FROM posts WHERE author_id = :account)"

PICTURES: Final = text(f"""
    SELECT DISTINCT encode(file, 'hex') FROM media m JOIN uploads u ON u.id = m.upload_id
        LEFT JOIN inbound i ON i.id = u.inbound_id, unnest(ARRAY[m.sha256, m.small_sha256]) AS file
    WHERE file IS NOT NULL AND (u.account_id = :account OR {_INPUTS})
""")

# The order matters: the rows by which the others are found are deleted last.
STEPS: Final = (
    (
        "texts at the carrier",
        f"""INSERT INTO redactions (carrier_id)
            SELECT i.message_id FROM inbound i WHERE {_INPUTS} AND i.message_id ~ '^(SM|MM)[0-9a-f]{{32}}$'
            UNION SELECT t.carrier_id FROM attempts t JOIN messages m ON m.id = t.message_id
            WHERE t.carrier_id ~ '^(SM|MM)[0-9a-f]{{32}}$' AND (m.author_id = :account OR t.address_id IN {_MINE})
            ON CONFLICT DO NOTHING""",
    ),
    (
        "pictures",
        f"""DELETE FROM uploads WHERE account_id = :account
            OR id IN (SELECT u.id FROM uploads u JOIN inbound i ON i.id = u.inbound_id WHERE {_INPUTS})""",
    ),
    (
        "inputs",
        f"""UPDATE inbound i
            SET sender = hashed_address(channel, sender), text = CASE WHEN text IS NOT NULL THEN '' END, raw = NULL,
                message_id = CASE channel WHEN 'sms' THEN message_id END, reason = NULL, recipients = '{{}}',
                state = CASE WHEN state IN ('done', 'dropped') THEN state ELSE 'dropped' END,
                lease_until = NULL, lease_owner = NULL
            WHERE {_INPUTS}""",
    ),
    ("requests", "DELETE FROM actions WHERE account_id = :account AND key IS NOT NULL"),
    ("effects", "UPDATE effects SET detail = '{}' WHERE account_id = :account AND detail <> '{}'"),
    (
        "hashes of texts",
        f"""UPDATE attempts t SET body_hash = NULL FROM messages m
            WHERE m.id = t.message_id AND t.body_hash IS NOT NULL
              AND (m.author_id = :account OR t.address_id IN {_MINE})""",
    ),
    (
        "deliveries on the road",  # they are looked for by their words, which are gone: they could be sent again
        f"""UPDATE deliveries SET state = 'unknown', reason = 'erased', ended_at = now(), lease_until = NULL,
                lease_owner = NULL
            WHERE state IN ('sending', 'unknown') AND ended_at IS NULL
              AND (author_id = :account OR address_id IN {_MINE})""",
    ),
    (
        "messages",
        f"""UPDATE messages m SET text = '', subject = '', body = '' FROM (
                SELECT id FROM messages WHERE author_id = :account
                UNION SELECT d.message_id FROM deliveries d JOIN messages t ON t.id = d.message_id
                WHERE d.address_id IN {_MINE} AND t.kind <> 'update'
                UNION SELECT t.id FROM messages t JOIN inbound i ON i.id = t.inbound_id
                WHERE i.account_id = :account
                UNION SELECT d.message_id FROM daily_mails d
                WHERE d.posts && (SELECT array_agg(id) FROM posts WHERE author_id = :account)
                UNION SELECT m.id FROM messages m JOIN posts p ON p.id = m.post_id
                WHERE (p.repeat_of IN {_WROTE} OR p.in_reply_to IN {_WROTE}) AND NOT {_OPEN}
                UNION SELECT m.id FROM messages m
                WHERE m.kind <> 'update' AND (m.text ~* :bare OR m.body ~* :bare) AND NOT {_OPEN}) mine
            WHERE m.id = mine.id AND (m.text, m.subject, m.body) <> ('', '', '')""",
    ),
    (
        "others' texts about them",
        """UPDATE posts p SET text = regexp_replace(p.text, :bare, '@' || :gone, 'gi')
           WHERE p.author_id <> :account AND p.text ~* :bare AND (
               EXISTS (SELECT FROM mentions n WHERE n.post_id = p.id AND n.account_id = :account)
               OR EXISTS (SELECT FROM post_recipients r WHERE r.post_id = p.id AND r.account_id = :account)
               OR EXISTS (SELECT FROM posts q WHERE q.id = p.in_reply_to AND q.author_id = :account)
               OR EXISTS (SELECT FROM posts q WHERE q.in_reply_to = p.id AND q.author_id = :account))""",
    ),
    (
        "others' texts that name them",
        "UPDATE posts SET text = regexp_replace(text, :plain, '@' || :gone, 'gi') WHERE text ~* :plain",
    ),
    (
        "posts",
        f"""UPDATE posts SET text = :removed, lang = NULL, upload_id = NULL, pictures_of = NULL, attached = NULL
            WHERE (author_id = :account OR repeat_of IN {_WROTE}) AND text NOT IN ('', :removed)""",
    ),
    ("others' files", "UPDATE media SET name = regexp_replace(name, :bare, :gone, 'gi') WHERE name ~* :bare"),
    ("fingerprints", f"DELETE FROM private_fingerprints WHERE post_id IN {_WROTE}"),
    ("tags", "DELETE FROM tags WHERE post_id IN (SELECT id FROM posts WHERE author_id = :account) OR tag ~* :bare"),
    (
        "others' inputs",
        """UPDATE inbound SET text = regexp_replace(text, :bare, '@' || :gone, 'gi'),
               raw = CASE WHEN encode(raw, 'escape') ~* :raw OR text ~* :bare THEN NULL ELSE raw END,
               recipients = string_to_array(
                   regexp_replace(array_to_string(recipients, E'\\n'), :bare, :gone, 'gi'), E'\\n'),
               reason = regexp_replace(reason, :bare, '@' || :gone, 'gi')
           WHERE text ~* :bare OR encode(raw, 'escape') ~* :raw OR array_to_string(recipients, ' ') ~* :bare
              OR reason ~* :bare""",
    ),
    (
        "others' messages",
        """UPDATE messages SET text = regexp_replace(text, :bare, '@' || :gone, 'gi'),
               subject = regexp_replace(subject, :bare, '@' || :gone, 'gi'),
               body = regexp_replace(body, :bare, '@' || :gone, 'gi')
           WHERE text ~* :bare OR subject ~* :bare OR body ~* :bare""",
    ),
    ("notes", "UPDATE messages SET note = NULL WHERE note ~* :bare"),
    (
        "others' effects",
        """UPDATE effects SET detail = CAST(regexp_replace(CAST(detail AS text), :bare, :gone, 'gi') AS jsonb)
           WHERE CAST(detail AS text) ~* :bare""",
    ),
    ("others' requests", "UPDATE actions SET result = NULL WHERE CAST(result AS text) ~* :bare"),
    (
        "others' talks",
        """UPDATE conversations c SET more = NULL, more_at = NULL,
               question = CASE WHEN CAST(question AS text) ~* :bare THEN NULL ELSE question END,
               half = CASE WHEN CAST(half AS text) ~* :bare THEN NULL ELSE half END
           WHERE more IS NOT NULL AND EXISTS (
                   SELECT FROM deliveries d WHERE d.address_id = c.address_id AND d.author_id = :account)
              OR more ~* :bare OR CAST(question AS text) ~* :bare OR CAST(half AS text) ~* :bare""",
    ),
    (
        "rests",
        f"""DELETE FROM remainders WHERE address_id IN {_MINE} OR text ~* :bare
               OR posts && (SELECT array_agg(id) FROM posts WHERE author_id = :account OR repeat_of IN {_WROTE})""",
    ),
    ("others' drafts", "DELETE FROM drafts WHERE account_id <> :account AND text ~* :bare"),
    (
        "others' consent",
        f"""UPDATE consent SET wording = regexp_replace(wording, :bare, '@' || :gone, 'gi')
            WHERE wording ~* :bare AND address_id NOT IN {_MINE}""",
    ),
    ("talks", f"DELETE FROM conversations WHERE address_id IN {_MINE}"),
    ("drafts", "DELETE FROM drafts WHERE account_id = :account"),
    ("reactions", "DELETE FROM reactions WHERE account_id = :account"),
    ("follows", "DELETE FROM follows WHERE follower_id = :account OR account_id = :account"),
    ("topics", "DELETE FROM topic_follows WHERE follower_id = :account"),
    ("daily mails", "DELETE FROM daily_mails WHERE account_id = :account"),
    ("silences", "DELETE FROM silences WHERE account_id = :account OR other_id = :account"),
    ("nudges", "DELETE FROM nudges WHERE account_id = :account OR other_id = :account"),
    ("invitations", f"DELETE FROM invitations WHERE inviter_id = :account OR address_id IN {_MINE}"),
    ("codes", "DELETE FROM codes WHERE account_id = :account"),
    ("posting addresses", "DELETE FROM posting_addresses WHERE account_id = :account"),
    ("pins", "DELETE FROM pins WHERE account_id = :account"),
    ("locks", "DELETE FROM lockouts WHERE account_id = :account"),
    ("aliases", "DELETE FROM aliases WHERE account_id = :account"),
    ("bounces", f"DELETE FROM bounces WHERE address_id IN {_MINE}"),
    ("mailboxes", f"DELETE FROM bouncing WHERE address_id IN {_MINE}"),
    ("opt-ins", f"DELETE FROM consent WHERE kind = 'opt_in' AND address_id IN {_MINE}"),
    (
        "opt-outs",
        f"""UPDATE consent SET wording = :removed, our_address = NULL, carrier_id = NULL
            WHERE address_id IN {_MINE} AND wording <> :removed""",
    ),
    (
        "kept opt-outs",
        """INSERT INTO opted_out (hash, stopped_at)
           SELECT hashed_address(channel, address), stopped_at FROM addresses
           WHERE account_id = :account AND stopped_at IS NOT NULL AND address NOT LIKE 'erased %'
             AND address NOT LIKE '% until %'
           ON CONFLICT (hash) DO UPDATE SET stopped_at = excluded.stopped_at""",
    ),
    (
        "ended opt-outs",
        """DELETE FROM opted_out WHERE hash IN (
               SELECT hashed_address(channel, address) FROM addresses
               WHERE account_id = :account AND stopped_at IS NULL)""",
    ),
    (
        "addresses",
        """UPDATE addresses SET address = 'erased ' || id, state = 'suspended', is_primary = false, off_until = NULL,
               seen_at = NULL, introduced_at = NULL, bouncing_since = NULL
           WHERE account_id = :account AND address NOT LIKE 'erased %'""",
    ),
    (
        "accounts",
        """UPDATE accounts SET handle = :gone, name = :removed, title = NULL, role = 'member', language = 'en',
               timezone = 'UTC', pin = 'none', ack = false, daily = true, daily_on = NULL, daily_upto = 0
           WHERE id = :account""",
    ),
)

COUNTS: Final = text(f"""
    SELECT (SELECT count(*) FROM posts WHERE author_id = :account) AS posts,
           (SELECT count(*) FROM inbound i WHERE {_INPUTS}) AS inputs,
           (SELECT count(*) FROM deliveries WHERE address_id IN {_MINE}) AS deliveries,
           (SELECT count(*) FROM addresses WHERE account_id = :account) AS addresses,
           (SELECT count(*) FROM follows WHERE follower_id = :account OR account_id = :account) AS follows,
           (SELECT count(*) FROM reactions WHERE account_id = :account) AS reactions,
           (SELECT count(*) FROM consent WHERE address_id IN {_MINE}) AS consents
""")
