"""Updates with certain words, of certain people, in certain groups: what the reader may read, newest first. The words
are found by the index that `who about` uses.

What is private is in no index. It is looked for only among what the reader wrote or got, word by word, and by nobody
else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, cast, exists, literal_column, or_, select, text
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, aliased

from gateway.files.file_types import PICTURES
from gateway.network.audience.visibility import readable_by
from gateway.store.tables import Media, Mention, Post, PostRecipient

PATIENCE: Final = timedelta(milliseconds=800)
CANCELLED: Final = "57014"  # query_canceled: the statement ran out of time


@dataclass(frozen=True, slots=True)
class PostQuery:
    """`words`, `phrases` must all be there, `without` must not. `authors`, `groups`: ids of which one must be; `to_me`:
    it names or answers the reader. `since`, `until`: when it was written; `pictures`: it has one. `private`: among the
    reader's private messages, instead of updates; there `groups` are those that it was written to, and `to_me` means
    that somebody else wrote it."""

    words: Sequence[str] = ()
    phrases: Sequence[str] = ()
    without: Sequence[str] = ()
    authors: Sequence[int] | None = None
    groups: Sequence[int] | None = None
    to_me: bool = False
    since: datetime | None = None
    until: datetime | None = None
    pictures: bool = False
    private: bool = False


def find(
    session: Session, reader_id: int, language: str, query: PostQuery, before: int, most: int
) -> Sequence[int] | None:  # fmt: skip
    """The ids of the posts, one more than `most` if there are more; None when they cannot be found in time. A repeat is
    not found, for what it repeats is."""
    nested = session.begin_nested()
    try:
        words = _prepare(session, language, query)
        among = _own_private(reader_id) if query.private else Post.visibility != "direct"
        found = select(Post.id).where(Post.id < before, Post.repeat_of.is_(None), among, readable_by(reader_id))
        found = found.where(*_conditions(reader_id, query, words)).order_by(Post.id.desc()).limit(most + 1)
        return session.scalars(found).all()
    except OperationalError as slow:
        if getattr(slow.orig, "sqlstate", None) != CANCELLED:
            raise
        return None
    finally:
        nested.rollback()  # with it the settings are as before; nothing was changed


def _prepare(session: Session, language: str, query: PostQuery) -> str | None:
    """The words as a tsquery: each as it is written (A), or as it is stemmed in the reader's language (B)."""
    patience = f"{PATIENCE / timedelta(milliseconds=1):.0f}ms"
    given = {
        "patience": patience, "language": language, "terms": [*query.words, *query.phrases],
        "without": list(query.without), "written": ":A", "stemmed": ":B",
    }  # fmt: skip
    query_words: str | None = session.scalar(PREPARE, given)
    return query_words


def _conditions(reader_id: int, query: PostQuery, words: str | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if words:
        written = PRIVATE_WORDS if query.private else Post.search
        found.append(written.op("@@")(cast(bindparam("query", words), TSQUERY)))
    if query.authors is not None:
        found.append(Post.author_id.in_(query.authors))
    if query.groups is not None:
        found.append(_written_to(query.groups) if query.private else Post.group_id.in_(query.groups))
    if query.to_me:
        found.append(Post.author_id != reader_id if query.private else _to(reader_id))
    if query.since:
        found.append(Post.created_at >= query.since)
    if query.until:
        found.append(Post.created_at < query.until)
    if query.pictures:
        shown = exists().where(
            Media.upload_id == Post.upload_id, Media.state == "fetched", Media.content_type.in_(PICTURES)
        )
        found.append(shown)
    return found


def _own_private(reader_id: int) -> ColumnElement[bool]:
    wrote = select(Post.id).where(Post.author_id == reader_id, Post.visibility == "direct")
    got = select(PostRecipient.post_id).where(PostRecipient.account_id == reader_id)
    return and_(Post.visibility == "direct", Post.id.in_(wrote.union(got)))


def _written_to(groups: Sequence[int]) -> ColumnElement[bool]:
    return exists().where(PostRecipient.post_id == Post.id, PostRecipient.named_id.in_(groups))


def _to(reader_id: int) -> ColumnElement[bool]:
    named = exists().where(Mention.post_id == Post.id, Mention.account_id == reader_id)
    parent = aliased(Post)
    answers = exists().where(parent.id == Post.in_reply_to, parent.author_id == reader_id)
    return and_(Post.author_id != reader_id, or_(named, answers))


# As index_post makes them for all other updates.
PRIVATE_WORDS: Final = literal_column(
    """(setweight(to_tsvector('pg_catalog.simple', search_words(posts.text)), 'A') || setweight(to_tsvector(
        search_config(coalesce(posts.lang, (SELECT language FROM accounts WHERE id = posts.author_id))),
        search_words(posts.text)), 'B'))""",
    TSVECTOR(),
)
# A page's connection may be told to look up by keys alone (store/database.BY_KEY), and the index of words has none.
_EACH: Final = """
    SELECT CAST(to_tsquery('pg_catalog.simple', quoted || CAST(:written AS text))
                || to_tsquery(search_config(:language), quoted || CAST(:stemmed AS text)) AS text) AS query
    FROM (SELECT '''' || translate(search_words(term), $$'\\$$, '  ') || '''' AS quoted
          FROM unnest(CAST({terms} AS text[])) AS term) AS searched
    WHERE quoted ~ '[^ '']'"""
PREPARE: Final = text(f"""
    SELECT nullif(concat_ws(' & ', wanted.query, unwanted.query), ''),
           set_config('enable_bitmapscan', 'on', true), set_config('statement_timeout', :patience, true)
    FROM (SELECT string_agg('(' || query || ')', ' & ') AS query
          FROM ({_EACH.format(terms=":terms")}) AS each WHERE query <> '') AS wanted,
         (SELECT string_agg('!(' || query || ')', ' & ') AS query
          FROM ({_EACH.format(terms=":without")}) AS each WHERE query <> '') AS unwanted
""")  # noqa: S608 - put together from constants
