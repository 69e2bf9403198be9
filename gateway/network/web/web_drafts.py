"""What somebody began to write on the web, one for each audience. It is kept while they write, and never sent by
itself."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST: Final = 50  # of one person; the oldest goes


def keep(session: Session, account_id: int, audience: str, words: str) -> None:
    """Keeps the words, or forgets them when there are none."""
    if words.strip():
        session.execute(KEEP, {"account": account_id, "audience": audience, "words": words})
        session.execute(TRIM, {"account": account_id, "most": MOST})
    else:
        forget(session, account_id, audience)


def find(session: Session, account_id: int, audience: str) -> str:
    """The words so far; empty when there are none."""
    return session.scalar(FIND, {"account": account_id, "audience": audience}) or ""


def forget(session: Session, account_id: int, audience: str) -> None:
    session.execute(FORGET, {"account": account_id, "audience": audience})


def forget_words(session: Session, account_id: int, words: str) -> None:
    """Whatever audience they were kept for: what was sent privately must not stand ready to go to everyone."""
    session.execute(FORGET_WORDS, {"account": account_id, "words": words})


KEEP: Final = text("""
    INSERT INTO web_drafts (account_id, audience, words) VALUES (:account, :audience, :words)
    ON CONFLICT (account_id, audience) DO UPDATE SET words = excluded.words, written_at = now()
""")
TRIM: Final = text("""
    DELETE FROM web_drafts WHERE account_id = :account AND audience IN (
        SELECT audience FROM web_drafts WHERE account_id = :account ORDER BY written_at DESC OFFSET :most)
""")
FIND: Final = text("SELECT words FROM web_drafts WHERE account_id = :account AND audience = :audience")
FORGET: Final = text("DELETE FROM web_drafts WHERE account_id = :account AND audience = :audience")
FORGET_WORDS: Final = text("DELETE FROM web_drafts WHERE account_id = :account AND btrim(words) = btrim(:words)")
