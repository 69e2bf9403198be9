"""Retention: how long data is kept (R52). Raw inputs are emptied, deliveries and callbacks are deleted, posts stay.

workers/upkeep/retention and `critter retention` work batch by batch. A batch looks at the next BATCH rows by id and
moves a cursor past them, so it takes the same time however large the table is. What is still open is skipped; once a
week each cursor begins anew and finds what has ended since. The cursors of messages and of `carrier.out` begin only
once: `critter audit` checks only what is younger than the cursor of the messages.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

BATCH: Final = 2_000  # rows looked at in one transaction
PATIENCE: Final = "200ms"  # how long dropping a month may wait for its lock, for others wait behind it


@dataclass(frozen=True, slots=True)
class RetentionAges:
    """The age at which rows of each kind end. `redact`: the carrier is asked to delete its copy, too."""

    raw: timedelta
    deliveries: timedelta
    consent: timedelta
    secrets: timedelta = timedelta(hours=12)
    unused: timedelta = timedelta(days=1)
    fingerprints: timedelta = timedelta(days=90)
    redact: bool = True

    @property
    def carrier(self) -> timedelta:
        """The age at which the carrier is asked to delete its copy: before our tries, which have its ids, are
        deleted."""
        return min(self.raw, self.deliveries - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data that ends by age. `due` and `blocks` are conditions on a row `t`; a row that blocks stops the
    cursor. `action` is the statement that changes the rows of `span`. `again`: the cursor begins anew each week."""

    name: str
    says: str
    age: str
    table: str
    due: str
    action: str
    blocks: str = "false"
    again: bool = True
    below: str = "id_at(now() - CAST(:age AS interval))"


class DueRetention(NamedTuple):
    """How many rows of a kind are old enough now, and when the oldest of them was made; None without any."""

    kind: Kind
    rows: int
    oldest: datetime | None


class PastMonth(NamedTuple):
    """A past month of deliveries: its table, about how many rows it has, and whether any of them is still open, or
    waits for its reader."""

    table: str
    rows: int
    open: bool


def batch(session: Session, kind: Kind, ages: RetentionAges) -> int | None:
    """Works off the next batch; how many rows changed, or None when everything that is old enough was looked at."""
    session.execute(text(START if kind.again else FIRST), {"what": kind.name})
    upto = session.scalar(text("SELECT upto FROM retention WHERE what = :what FOR UPDATE"), {"what": kind.name})
    given = {"upto": upto, "age": getattr(ages, kind.age), "batch": BATCH}
    reached, changed = session.execute(text(_window(kind)), given).one()
    ended = reached is None or reached <= upto
    session.execute(text(MOVE), {"what": kind.name, "upto": upto if ended else reached, "ended": ended})
    return None if ended else changed


def due(session: Session, kind: Kind, ages: RetentionAges) -> DueRetention:
    """Counts what the next pass would do. It reads the whole table."""
    session.execute(text("SET LOCAL statement_timeout = '10min'"))
    rows, oldest = session.execute(
        text(COUNT.format(table=kind.table, due=kind.due, blocks=kind.blocks, below=kind.below)),
        {"age": getattr(ages, kind.age), "what": kind.name, "again": kind.again},
    ).one()
    return DueRetention(kind, rows, oldest)


def kinds(ages: RetentionAges) -> tuple[Kind, ...]:
    """The kinds in the order in which they must be worked off."""
    return KINDS if ages.redact else tuple(kind for kind in KINDS if not kind.name.startswith("carrier"))


def months(session: Session, age: timedelta) -> list[PastMonth]:
    """Months of deliveries of which even the last day is old enough."""
    found = session.execute(text(MONTHS), {"age": age}).all()
    return [PastMonth(name, rows, _is_open(session, name)) for name, rows in found]


def _is_open(session: Session, month: str) -> bool:
    return bool(session.scalar(text(OPEN.format(month)), {"month": month[-7:]}))


def drop(session: Session, month: PastMonth) -> bool:
    """Drops a month; False when a row of it is open, or when somebody holds a lock: then the next pass tries again."""
    session.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
    try:
        with session.begin_nested():
            return bool(session.scalar(text("SELECT drop_partition(:month)"), {"month": month.table}))
    except OperationalError as busy:
        if getattr(busy.orig, "sqlstate", None) != LOCKED:
            raise
        return False


def _window(kind: Kind) -> str:
    action = kind.action.format(due=kind.due)
    return WINDOW.format(table=kind.table, below=kind.below, blocks=kind.blocks, action=action)


LOCKED: Final = "55P03"  # lock_not_available

FIRST: Final = "INSERT INTO retention (what) VALUES (:what) ON CONFLICT DO NOTHING"
START: Final = """
    INSERT INTO retention (what) VALUES (:what) ON CONFLICT (what) DO UPDATE SET upto = 0, done_at = NULL
    WHERE retention.done_at < date_trunc('week', now())
"""
MOVE: Final = """
    UPDATE retention SET upto = :upto, done_at = CASE WHEN :ended THEN now() ELSE done_at END WHERE what = :what
"""

WINDOW: Final = """
    WITH span AS MATERIALIZED (
        SELECT id FROM {table} WHERE id > :upto AND id < {below} ORDER BY id LIMIT :batch
    ), stop AS MATERIALIZED (
        SELECT min(t.id) AS id FROM {table} t JOIN span USING (id) WHERE {blocks}
    ), done AS (
        {action}
    )
    SELECT coalesce((SELECT id - 1 FROM stop), (SELECT max(id) FROM span)), (SELECT count(*) FROM done)
"""

COUNT: Final = """
    SELECT count(*), min(to_timestamp((t.id >> 16) / 1000.0)) FROM {table} t
    WHERE t.id < {below} AND {due} AND NOT ({blocks})
      AND (:again OR t.id > coalesce((SELECT upto FROM retention WHERE what = :what), 0))
"""

OPEN_DELIVERY: Final = "EXISTS (SELECT FROM deliveries d WHERE d.message_id = t.id AND d.ended_at IS NULL)"
TOLD: Final = """(t.kind = 'code' OR t.kind = 'answer' AND EXISTS (
    SELECT FROM inbound i WHERE i.id = t.inbound_id AND i.intent IN ('login', 'link')))"""
ENDED: Final = """t.state IN ('done', 'dropped')
    AND NOT EXISTS (SELECT FROM refusals r WHERE r.inbound_id = t.id AND r.closed_at IS NULL)"""
UNSEEN: Final = """EXISTS (SELECT FROM uploads u WHERE u.inbound_id = t.id
            AND NOT EXISTS (SELECT FROM posts p WHERE p.upload_id = u.id))"""
UNUSED: Final = "t.inbound_id IS NULL AND NOT EXISTS (SELECT FROM posts p WHERE p.upload_id = t.id)"
NOBODYS: Final = "NOT EXISTS (SELECT FROM app_tokens k WHERE k.app_id = t.id)"
ENDED_LONG: Final = "r.expires_at < now() - interval '1 day'"
TWILIO: Final = "'^(SM|MM)[0-9a-f]{32}$'"
_DELETE: Final = """DELETE FROM {table} t USING span WHERE t.id = span.id AND {{due}}
        AND t.id < coalesce((SELECT id FROM stop), t.id + 1) RETURNING 1"""

KINDS: Final = (
    Kind(
        "codes",
        "codes and login links in messages emptied",
        "secrets",
        "messages",
        f"{TOLD} AND t.text <> ''",
        """UPDATE messages t SET text = '', subject = '', body = '' FROM span
           WHERE t.id = span.id AND {due} AND t.id < coalesce((SELECT id FROM stop), t.id + 1) RETURNING 1""",
        blocks=f"{TOLD} AND {OPEN_DELIVERY}",
    ),
    Kind(
        "carrier.in",
        "inputs to be deleted at the carrier",
        "carrier",
        "inbound",
        f"t.channel = 'sms' AND {ENDED} AND t.sender NOT LIKE 'hash:%' AND t.message_id ~ {TWILIO}",
        """INSERT INTO redactions (carrier_id) SELECT DISTINCT t.message_id FROM inbound t JOIN span USING (id)
           WHERE {due} ON CONFLICT DO NOTHING RETURNING 1""",
    ),
    Kind(
        "carrier.out",
        "texts to be deleted at the carrier",
        "carrier",
        "attempts",
        f"t.carrier_id ~ {TWILIO}",
        """INSERT INTO redactions (carrier_id) SELECT DISTINCT t.carrier_id FROM attempts t JOIN span USING (id)
           WHERE {due} ON CONFLICT DO NOTHING RETURNING 1""",
        again=False,
    ),
    Kind(
        "inbound",
        "inputs emptied, their senders made unknown",
        "raw",
        "inbound",
        f"{ENDED} AND (t.raw IS NOT NULL OR t.sender NOT LIKE 'hash:%')",
        """UPDATE inbound t
           SET raw = NULL, text = CASE WHEN t.text IS NOT NULL THEN '' END, sender = hashed_address(t.channel, t.sender)
           FROM span WHERE t.id = span.id AND {due} RETURNING 1""",
    ),
    Kind(
        "files",
        "files that no post shows forgotten",
        "raw",
        "inbound",
        f"{ENDED} AND {UNSEEN}",
        """DELETE FROM uploads USING inbound t JOIN span USING (id)
           WHERE uploads.inbound_id = t.id AND {due} RETURNING 1""",
    ),
    Kind(
        "sessions",
        "ended sessions on the web deleted",
        "raw",
        "web_sessions",
        "(t.ended_at IS NOT NULL OR t.expires_at < now())",
        _DELETE.format(table="web_sessions"),
    ),
    Kind(
        "app_tokens",
        "ended tokens of apps deleted",
        "raw",
        "app_tokens",
        "t.ended_at IS NOT NULL",
        _DELETE.format(table="app_tokens"),
    ),
    Kind(
        "app_codes",
        "used and old codes of apps deleted",
        "unused",
        "app_codes",
        "true",
        _DELETE.format(table="app_codes"),
    ),
    Kind(
        "apps",
        "apps that nobody lets in forgotten",
        "unused",
        "apps",
        NOBODYS,
        _DELETE.format(table="apps"),
    ),
    Kind(
        "dismissed_notices",
        "marks of what was dismissed in apps deleted",
        "fingerprints",
        "dismissed_notices",
        "true",
        _DELETE.format(table="dismissed_notices"),
    ),
    Kind(
        "uploads",
        "uploads that no post shows deleted",
        "unused",
        "uploads",
        UNUSED,
        _DELETE.format(table="uploads"),
    ),
    Kind(
        "requests",
        "results of requests forgotten",
        "unused",
        "actions",
        "t.result IS NOT NULL",
        "UPDATE actions t SET result = NULL FROM span WHERE t.id = span.id AND {due} RETURNING 1",
    ),
    Kind(
        "trackers",
        "ends of tracking deleted",
        "secrets",
        "tracks",
        f"EXISTS (SELECT FROM trackers r WHERE r.track_id = t.id AND {ENDED_LONG})",
        f"DELETE FROM trackers r USING span WHERE r.track_id = span.id AND {ENDED_LONG} RETURNING 1",  # noqa: S608
    ),
    # Who begins to track it meanwhile changes changed_at under the lock, and so keeps it.
    Kind(
        "tracks",
        "words that nobody tracks any more deleted",
        "secrets",
        "tracks",
        """t.changed_at < now() - interval '1 day'
           AND NOT EXISTS (SELECT FROM trackers r WHERE r.track_id = t.id)""",
        "DELETE FROM tracks t USING span WHERE t.id = span.id AND {due} RETURNING 1",
    ),
    Kind(
        "fingerprints",
        "fingerprints of private posts deleted",
        "fingerprints",
        "posts",
        "EXISTS (SELECT FROM private_fingerprints f WHERE f.post_id = t.id)",
        """DELETE FROM private_fingerprints f USING posts t JOIN span USING (id)
           WHERE f.post_id = t.id RETURNING 1""",
    ),
    Kind(
        "calls",
        "calls and their answers deleted",
        "deliveries",
        "posts",
        "EXISTS (SELECT FROM calls c WHERE c.post_id = t.id AND c.ended_at IS NOT NULL)",
        """DELETE FROM calls c USING posts t JOIN span USING (id)
           WHERE c.post_id = t.id AND c.ended_at IS NOT NULL RETURNING 1""",
    ),
    Kind(
        "offers",
        "offers to ask people deleted",
        "deliveries",
        "posts",
        "EXISTS (SELECT FROM offers o WHERE o.post_id = t.id)",
        "DELETE FROM offers o USING span WHERE o.post_id = span.id RETURNING 1",
    ),
    Kind(
        "callbacks",
        "status callbacks deleted",
        "deliveries",
        "callbacks",
        "t.applied_at IS NOT NULL",
        _DELETE.format(table="callbacks"),
    ),
    Kind(
        "attempts",
        "tries deleted",
        "deliveries",
        "attempts",
        """NOT EXISTS (SELECT FROM deliveries d WHERE d.message_id = t.message_id AND d.address_id = t.address_id
                       AND (d.ended_at IS NULL OR d.state = 'held'))""",
        _DELETE.format(table="attempts"),
    ),
    Kind(
        "messages",
        "messages without deliveries deleted",
        "deliveries",
        "messages",
        "true",
        _DELETE.format(table="messages"),
        blocks="""EXISTS (SELECT FROM deliveries d WHERE d.message_id = t.id)
                  OR EXISTS (SELECT FROM fanouts f WHERE f.message_id = t.id AND f.state = 'waiting')
                  OR EXISTS (SELECT FROM messages c JOIN deliveries d ON d.message_id = c.id
                             WHERE c.instead_of = t.id)""",
        again=False,
        below="id_at(date_trunc('month', now() - CAST(:age AS interval), 'UTC'))",
    ),
    Kind(
        "consent",
        "older yes and no of a phone, with a newer one, deleted",
        "consent",
        "consent",
        "EXISTS (SELECT FROM consent newer WHERE newer.address_id = t.address_id AND newer.id > t.id)",
        _DELETE.format(table="consent"),
    ),
)

MONTHS: Final = """
    SELECT c.relname, greatest(c.reltuples, 0)::bigint FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'deliveries'::regclass AND c.relname ~ '^deliveries_\\d{4}_\\d\\d$'
      AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month'
          <= (now() - CAST(:age AS interval)) AT TIME ZONE 'UTC'
    ORDER BY c.relname
"""
# As drop_partition asks.
OPEN: Final = """
    WITH month AS (
        SELECT id_at(begins AT TIME ZONE 'UTC') AS low, id_at((begins + interval '1 month') AT TIME ZONE 'UTC') AS high
        FROM CAST(to_date(:month, 'YYYY_MM') AS timestamp) AS begins
    )
    SELECT EXISTS (SELECT FROM {} WHERE ended_at IS NULL)
        OR EXISTS (SELECT FROM held, month
                   WHERE state IN ('waiting', 'folded') AND message_id >= low AND message_id < high)
        OR EXISTS (SELECT FROM held, month WHERE state = 'folded' AND digest_id >= low AND digest_id < high)
"""
