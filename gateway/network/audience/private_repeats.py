"""The last protection of what is private: words that were private are recognised before more people can read them.

gateway/actions/model/private_words asks `find` before anything is published; `posts` keeps the fingerprint of what
is private."""

# ruff: noqa: S608 - the statements are put together from constants of this file

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.language.privacy import fingerprints
from gateway.store.arrays import numbers
from gateway.store.tables import Account

_WHOLE = "= "  # before the words of a whole short item, which counts only where it is quoted


@dataclass(frozen=True, slots=True)
class Readers:
    """Who will be able to read the words: everyone, the members of a closed group, or these people."""

    everyone: bool = False
    group_id: int | None = None
    people: Collection[int] = ()
    own_words_free: bool = False  # telling one more person the same words oneself is no mistake


@dataclass(frozen=True, slots=True)
class Repeated:
    """Whose private words are repeated: the author's to the reader, or the writer's own to `reader`. `group`: a closed
    group in which they were written."""

    author: str
    own: bool
    reader: str | None
    group: str | None


def keep(session: Session, post_id: int, words: str) -> None:
    """Keeps the fingerprint of a post that is private, as it reads now."""
    session.execute(_KEEP, {"post": post_id, "runs": _runs_of_item(words)})


def find(session: Session, writer: Account, words: str, readers: Readers, said: str = "") -> Repeated | None:
    """The newest private post of the last 90 days whose words these repeat and which fewer people could read. It was
    sent to the writer, or written by them. `said`: all that was written, because marks around the whole of a text are
    taken off before it is posted. A text that is too short to repeat anything costs no statement."""
    runs = runs_of(words, said)
    if not runs:
        return None
    posts = session.scalars(_HITS, {"runs": runs}).all()
    if not posts:
        return None
    values = {
        "posts": numbers(posts),
        "writer": writer.id,
        "everyone": readers.everyone,
        "group": readers.group_id,
        "people": numbers(readers.people),
        "own_free": readers.own_words_free,
    }
    row = session.execute(_FIND, values).first()
    return Repeated(row.author, row.author_id == writer.id, row.told, row.place) if row else None


def runs_of(words: str, said: str) -> list[str]:
    """What words are compared by with what was private; nothing when they are too few to repeat anything."""
    quoted = [*fingerprints.find_quoted(words), *(fingerprints.find_quoted(said) if said != words else ())]
    return [*fingerprints.runs(words), *(_WHOLE + short for short in dict.fromkeys(quoted))]


def _runs_of_item(words: str) -> list[str]:
    short = fingerprints.whole(words)
    return [_WHOLE + short] if short else fingerprints.runs(words)


# The hashes are keyed by the installation's secret: without it nobody can try out what a private message may have said.
_HASH: Final = (
    "('x' || encode(substr(sha256(secret.hash_key || convert_to(run, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint"
)
_HASHES: Final = f"""ARRAY(
    SELECT {_HASH} FROM installation AS secret, unnest(CAST(:runs AS text[])) AS run)"""
_KEEP: Final = text(
    f"""
    INSERT INTO private_fingerprints (post_id, runs) VALUES (:post, {_HASHES})
    ON CONFLICT (post_id) DO UPDATE SET runs = excluded.runs
    """
)
# As part of a statement about many texts: the places of those with runs that were private to anybody.
HITS_OF_MANY: Final = f"""
    SELECT given.place
    FROM (SELECT place, array_agg({_HASH}) AS hashes
          FROM installation AS secret,
               unnest(CAST(:run_places AS integer[]), CAST(:runs AS text[])) AS given (place, run)
          GROUP BY place OFFSET 0) AS given
    WHERE EXISTS (
        SELECT FROM private_fingerprints
        WHERE runs && given.hashes AND post_id >= id_at(now() - interval '90 days') OFFSET 0)"""
# This runs for every text that is published, so it is as simple as possible; hits are rare.
_HITS: Final = text(
    f"""
    SELECT post_id FROM private_fingerprints WHERE runs && {_HASHES} AND post_id >= id_at(now() - interval '90 days')
    ORDER BY post_id DESC LIMIT 10000
    """
)

# What could be read once counts as read, even by a member who left since, or when the post was taken back. A group
# counts while it is closed. A person got a post of a closed group when it went to one of their phones or mailboxes.
_FIND: Final = text("""
    SELECT post.author_id, author.name AS author, place.name AS place, (
        SELECT named.name FROM post_recipients told JOIN accounts named ON named.id = told.named_id
        WHERE told.post_id = post.id ORDER BY told.account_id LIMIT 1) AS told
    FROM posts post
    JOIN accounts author ON author.id = post.author_id
    LEFT JOIN accounts place ON place.id = post.group_id
    WHERE post.id = ANY (CAST(:posts AS bigint[])) AND (post.visibility = 'direct' OR place.access = 'closed')
      AND (post.author_id = :writer AND NOT CAST(:own_free AS boolean)
        OR post.author_id <> :writer AND (
          EXISTS (SELECT FROM post_recipients mine WHERE mine.post_id = post.id AND mine.account_id = :writer)
          OR EXISTS (
            SELECT FROM follows mine WHERE mine.follower_id = :writer AND mine.account_id = post.group_id
              AND mine.state = 'active')
          OR EXISTS (
            SELECT FROM messages copy JOIN deliveries sent ON sent.message_id = copy.id
            JOIN addresses mine ON mine.id = sent.address_id
            WHERE copy.post_id = post.id AND mine.account_id = :writer)))
      AND (CAST(:everyone AS boolean)
        OR CAST(:group AS bigint) IS NOT NULL AND post.group_id IS DISTINCT FROM CAST(:group AS bigint)
        OR EXISTS (
          SELECT FROM unnest(CAST(:people AS bigint[])) AS reader (id)
          WHERE reader.id <> post.author_id AND NOT EXISTS (
            SELECT FROM post_recipients r WHERE r.post_id = post.id AND r.account_id = reader.id
          ) AND NOT EXISTS (
            SELECT FROM follows_in_force f WHERE f.follower_id = reader.id AND f.account_id = post.group_id)))
    ORDER BY post.id DESC LIMIT 1
""")


def catch_up(session: Session, most: int = 500) -> int:
    """Keeps fingerprints of private posts that have none yet, written before there were fingerprints or by a worker of
    the version before. Returns how many."""
    rows = session.execute(_MISSING, {"most": most}).all()
    for post_id, words in rows:
        keep(session, post_id, words)
    return len(rows)


_MISSING: Final = text("""
    SELECT post.id, post.text FROM posts post LEFT JOIN accounts place ON place.id = post.group_id
    WHERE (post.visibility = 'direct' OR place.access = 'closed')
      AND post.id >= id_at(now() - interval '90 days')
      AND NOT EXISTS (SELECT FROM private_fingerprints kept WHERE kept.post_id = post.id)
      AND NOT EXISTS (SELECT FROM offer_people asked WHERE asked.asked_by = post.id)
    ORDER BY post.id LIMIT :most
""")
