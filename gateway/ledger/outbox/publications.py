"""A post's message and its fan-outs, written by the statement that writes the post: every update makes these rows."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import TextClause, text, update
from sqlalchemy.orm import Session

from gateway.store.tables import Message


def publication(post: str, result: str) -> TextClause:
    """The statement. `post`: the INSERT of the post, which returns its id; `result`: what the statement returns, a
    SELECT from `post`. It takes the parameters of both, and :author, :priority, :text, :subject, :body, :sources (whose
    followers get it) and :hold (how long the fan-outs wait)."""
    return text(f"""
        WITH post AS (
            {post}
        ), message AS (
            INSERT INTO messages (kind, author_id, post_id, priority, text, subject, body)
            SELECT 'update', :author, id, :priority, :text, :subject, :body FROM post RETURNING id
        ), spread AS (
            INSERT INTO fanouts (message_id, source_id, post_id, author_id, not_before)
            SELECT message.id, source, post.id, :author, now() + :hold
            FROM message, post, unnest(CAST(:sources AS bigint[])) AS source
        )
        {result}
    """)  # noqa: S608 - put together from constants


# As parts of a statement that publishes many posts at once: `plain` has the message_id, post_id, account_id, text,
# subject and body of each; `made`, how many texts and mails were made of it, to everyone whom it is for.
MESSAGES_OF_MANY: Final = """
    INSERT INTO messages (id, kind, author_id, post_id, priority, text, subject, body)
    SELECT message_id, 'update', account_id, post_id, 5, text, subject, body FROM plain"""
FANOUTS_OF_MANY: Final = """
    INSERT INTO fanouts (message_id, source_id, post_id, author_id, reached, texts, mails, state, done_at)
    SELECT message_id, account_id, post_id, account_id, 9223372036854775807, coalesce(made.texts, 0),
           coalesce(made.mails, 0), 'done', clock_timestamp()
    FROM plain LEFT JOIN made USING (message_id)"""


def widen(session: Session, post_id: int, sources: Sequence[int]) -> None:
    """Adds fan-outs to a post that still waits: words that were appended to it bring it to more people."""
    if sources:
        session.execute(WIDEN, {"post": post_id, "sources": list(sources)})


WIDEN: Final = text("""
    INSERT INTO fanouts (message_id, source_id, post_id, author_id, not_before)
    SELECT first.message_id, source, first.post_id, first.author_id, first.not_before
    FROM (SELECT * FROM fanouts WHERE post_id = :post LIMIT 1) AS first, unnest(CAST(:sources AS bigint[])) AS source
    ON CONFLICT DO NOTHING
""")


def reword(session: Session, post_id: int, words: str, body: str) -> None:
    """Gives the message of a post other words, while nobody has got it. Its subject stays, because the thread goes by
    it."""
    session.execute(update(Message).where(Message.post_id == post_id).values(text=words, body=body))
