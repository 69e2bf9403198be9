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

from gateway.language.track_phrases import track_phrase
from gateway.ledger.audit import audit_log
from gateway.ledger.operations import erasure
from gateway.ledger.outbox import cancellations
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
    cancellations.cancel_words(session, person.id, "erased")
    cancellations.cancel_open(session, _addresses(person.id), "erased")
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
    folded = track_phrase(person.name).folded
    return {"account": person.id, "gone": gone, **found._asdict(), "removed": REMOVED, "folded": folded}


LOCK: Final = text("""
    UPDATE accounts SET state = 'deactivated', deactivated_at = coalesce(deactivated_at, now()) WHERE id = :account
""")

# After a number went to somebody else it is kept as "NUMBER until ID" with its last owner.
KNOWN: Final = """
    SELECT DISTINCT split_part(address, ' until ', 1) FROM addresses
    WHERE account_id = :id AND address NOT LIKE 'erased %'
"""

_MINE: Final = "(SELECT id FROM addresses WHERE account_id = :account)"
_WROTE: Final = "(SELECT id FROM posts WHERE author_id = :account)"

# Who tracks somebody's name loses that: it stands nowhere afterwards.
_NAMES_THEM: Final = """(SELECT id FROM tracks WHERE phrase ~* :bare OR shown ~* :bare
                               OR strpos(' ' || phrase || ' ', ' ' || :folded || ' ') > 0)"""

PICTURES: Final = text(f"""
    SELECT DISTINCT encode(file, 'hex') FROM media m JOIN uploads u ON u.id = m.upload_id
        LEFT JOIN inbound i ON i.id = u.inbound_id, unnest(ARRAY[m.sha256, m.small_sha256]) AS file
    WHERE file IS NOT NULL AND (u.account_id = :account OR {erasure.INPUTS})
""")

# The order matters: the rows by which the others are found are deleted last.
STEPS: Final = (
    *erasure.THEIRS,
    ("requests", "DELETE FROM actions WHERE account_id = :account AND key IS NOT NULL"),
    ("effects", "UPDATE effects SET detail = '{}' WHERE account_id = :account AND detail <> '{}'"),
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
    *erasure.NAMING_THEM,
    ("fingerprints", f"DELETE FROM private_fingerprints WHERE post_id IN {_WROTE}"),
    ("tags", "DELETE FROM tags WHERE post_id IN (SELECT id FROM posts WHERE author_id = :account) OR tag ~* :bare"),
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
    ("calls", "DELETE FROM calls WHERE asker_id = :account"),
    ("answers to calls", "DELETE FROM call_people WHERE account_id = :account"),
    (
        "others' answers to calls",
        "UPDATE call_people SET text = regexp_replace(text, :bare, '@' || :gone, 'gi') WHERE text ~* :bare",
    ),
    ("talks", f"DELETE FROM conversations WHERE address_id IN {_MINE}"),
    ("drafts", "DELETE FROM drafts WHERE account_id = :account"),
    ("reactions", "DELETE FROM reactions WHERE account_id = :account"),
    ("bookmarks", "DELETE FROM bookmarks WHERE account_id = :account"),
    ("pinned updates", "DELETE FROM pinned_posts WHERE account_id = :account"),
    ("dismissed notices", "DELETE FROM dismissed_notices WHERE account_id = :account"),
    ("questions to apps", "DELETE FROM reach_questions WHERE account_id = :account"),
    ("lists", "DELETE FROM lists WHERE account_id = :account"),
    ("places in lists", "DELETE FROM list_accounts WHERE account_id = :account"),
    ("follows", "DELETE FROM follows WHERE follower_id = :account OR account_id = :account"),
    ("topics", "DELETE FROM topic_follows WHERE follower_id = :account"),
    ("trackers", f"DELETE FROM trackers WHERE follower_id = :account OR track_id IN {_NAMES_THEM}"),
    ("tracked words", "DELETE FROM tracks t WHERE NOT EXISTS (SELECT FROM trackers WHERE track_id = t.id)"),
    ("daily mails", "DELETE FROM daily_mails WHERE account_id = :account"),
    ("digests", "DELETE FROM digests WHERE account_id = :account"),
    ("silences", "DELETE FROM silences WHERE account_id = :account OR other_id = :account"),
    ("settings", "DELETE FROM attention WHERE account_id = :account"),
    ("presence", "DELETE FROM presence WHERE account_id = :account"),
    ("offers", "DELETE FROM offers WHERE author_id = :account OR word ~* :bare"),
    ("offers of them", "DELETE FROM offer_people WHERE account_id = :account"),
    ("nudges", "DELETE FROM nudges WHERE account_id = :account OR other_id = :account"),
    ("invitations", f"DELETE FROM invitations WHERE inviter_id = :account OR address_id IN {_MINE}"),
    ("codes", "DELETE FROM codes WHERE account_id = :account"),
    ("sessions on the web", "DELETE FROM web_sessions WHERE account_id = :account"),
    ("codes of apps", "DELETE FROM app_codes WHERE account_id = :account"),
    ("apps' tokens", "DELETE FROM app_tokens WHERE account_id = :account"),
    ("devices that get pushes", "DELETE FROM push_subscriptions WHERE account_id = :account"),
    ("read marks", "DELETE FROM read_marks WHERE account_id = :account"),
    (
        "read marks of talks",
        """DELETE FROM read_marks
           WHERE place IN ('private:' || CAST(:account AS text), 'hidden:' || CAST(:account AS text))""",
    ),
    (
        "drafts on the web",
        "DELETE FROM web_drafts WHERE account_id = :account OR audience = 'to:' || CAST(:account AS text)",
    ),
    ("look of the web", "DELETE FROM web_settings WHERE account_id = :account"),
    ("status", "DELETE FROM statuses WHERE account_id = :account"),
    (
        "reasons of reports",
        """UPDATE reports SET reason = NULL
           WHERE reason IS NOT NULL AND (reporter_id = :account OR account_id = :account OR reason ~* :bare)""",
    ),
    ("passkeys", "DELETE FROM passkeys WHERE account_id = :account"),
    ("company accounts", "DELETE FROM company_accounts WHERE account_id = :account"),
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
               quiet = NULL, quiet_since = NULL,
               seen_at = NULL, introduced_at = NULL, bouncing_since = NULL
           WHERE account_id = :account AND address NOT LIKE 'erased %'""",
    ),
    (
        "accounts",
        """UPDATE accounts SET handle = :gone, name = :removed, title = NULL, role = 'member', language = 'en',
               timezone = 'UTC', pin = 'none', ack = false, daily = true, daily_on = NULL, daily_upto = 0,
               zone_since = NULL
           WHERE id = :account""",
    ),
)

COUNTS: Final = text(f"""
    SELECT (SELECT count(*) FROM posts WHERE author_id = :account) AS posts,
           (SELECT count(*) FROM inbound i WHERE {erasure.INPUTS}) AS inputs,
           (SELECT count(*) FROM deliveries WHERE address_id IN {_MINE}) AS deliveries,
           (SELECT count(*) FROM addresses WHERE account_id = :account) AS addresses,
           (SELECT count(*) FROM follows WHERE follower_id = :account OR account_id = :account) AS follows,
           (SELECT count(*) FROM reactions WHERE account_id = :account) AS reactions,
           (SELECT count(*) FROM consent WHERE address_id IN {_MINE}) AS consents
""")
