"""Who wrote about something where everyone may read it: `who about`, and the offers to ask those people."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, cast, exists, func, select, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.language.words.normalize import CLOSING_QUOTES, OPENING_QUOTES
from gateway.network.audience import visibility
from gateway.store.tables import Account, Attention, Post, Tag

SPAN: Final = timedelta(days=365)
NEWEST: Final = 1_000  # posts that are counted, of those that have the words
HALF_LIFE: Final = 90.0  # days after which a post counts half
PATIENCE: Final = timedelta(milliseconds=300)
CANCELLED: Final = "57014"  # query_canceled: the statement ran out of time
_POSSESSIVE = re.compile(r"['\u2019]s\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundAuthor:
    """A person who wrote about it: how many posts, and when the last one was written."""

    id: int
    handle: str
    name: str
    posts: int
    last: datetime


def find_authors(
    session: Session, asker: Account, topic: str, most: int, patience: timedelta = PATIENCE
) -> Sequence[FoundAuthor] | None:
    """The people who wrote about a topic, those with the most and the newest posts first; None when it is in too many
    posts to be found in time. `topic`: words that a post must all have, a "phrase", or a #tag. Left out are the asker,
    whoever a block separates from the asker, and whoever does not want to be found."""
    nested = session.begin_nested()
    try:
        given = {"patience": f"{patience / timedelta(milliseconds=1):.0f}ms", "language": asker.language}
        query = session.scalar(_PREPARE, given | _WEIGHTS | {"terms": _terms(topic)})
        statement = _TAGGED if topic.startswith("#") else _WORDED
        wanted = {"asker": asker.id, "query": query, "tag": topic[1:].casefold(), "most": most}
        rows = session.execute(statement, wanted).all()
    except OperationalError as slow:
        if getattr(slow.orig, "sqlstate", None) != CANCELLED:
            raise
        return None
    finally:
        nested.rollback()  # with it the settings are as before; nothing was changed
    return [FoundAuthor(*row[:5]) for row in rows]


def _terms(topic: str) -> list[str]:
    """The words, or the phrase in quotes. A possessive says no more than the word."""
    plain = _POSSESSIVE.sub("", topic)
    if topic[0] in OPENING_QUOTES:
        return [plain.strip(OPENING_QUOTES + CLOSING_QUOTES)]
    return plain.split()


# A worker's connection is told to look up by keys alone (store/database.BY_KEY), and this index has none. The query:
# each word as it is written (A), or as it is stemmed in the asker's language (B). The weights keep a phrase from being
# found half in one and half in the other. What is written as one word and searched as several, like "board-meeting",
# stands in this order in the post.
_PREPARE: Final = text("""
    SELECT string_agg('(' || CAST(query AS text) || ')', ' & '),
           set_config('enable_bitmapscan', 'on', true), set_config('statement_timeout', :patience, true)
    FROM (SELECT to_tsquery('pg_catalog.simple', quoted || CAST(:written AS text))
                 || to_tsquery(search_config(:language), quoted || CAST(:stemmed AS text)) AS query
          FROM (SELECT '''' || translate(search_words(term), $$'\\$$, '  ') || '''' AS quoted
                FROM unnest(CAST(:terms AS text[])) AS term) AS searched
          WHERE quoted ~ '[^ '']') AS each
    WHERE numnode(query) > 0
""")
_WEIGHTS: Final = {"written": ":A", "stemmed": ":B"}


def _authors(has: ColumnElement[bool]) -> Select[int, str, str, int, Any, Any]:
    """The inner statement finds the newest posts, the outer one their authors. Only what everyone may read counts, also
    for those who may read more: a name must tell nobody what a closed group talks about."""
    asker = bindparam("asker", type_=BigInteger)
    age = func.extract("epoch", func.now() - Post.created_at) / 86_400
    found = (
        select(Post.id, Post.author_id, Post.created_at, age.label("days"))
        .where(has, Post.deleted_at.is_(None), Post.repeat_of.is_(None), visibility.open_post())
        .where(Post.author_id != asker, Post.created_at > func.now() - SPAN)
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    newest = select(found).order_by(found.c.id.desc()).limit(NEWEST).subquery("newest")
    score = func.sum(func.power(2, -newest.c.days / HALF_LIFE))
    unconnected = exists().where(Attention.account_id == Account.id, ~Attention.connects)
    return (
        select(Account.id, Account.handle, Account.name, func.count(), func.max(newest.c.created_at), score)
        .join(newest, newest.c.author_id == Account.id)
        .where(Account.state == "active", ~unconnected, ~visibility.blocked(asker, Account.id))
        .group_by(Account.id)
        .order_by(score.desc(), Account.id)
        .limit(bindparam("most"))
    )


_WORDED: Final = _authors(Post.search.op("@@")(cast(bindparam("query"), TSQUERY)))
_TAGGED: Final = _authors(Post.id.in_(select(Tag.post_id).where(Tag.tag == bindparam("tag"))))
