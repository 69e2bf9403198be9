"""What an app was told would go to many phones. Apps cannot say yes to a question, so the same call within ten minutes
says it: only to the reach and its price, never to what looks private."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


def remember(session: Session, account_id: int, request: bytes) -> None:
    """`request`: a digest of the call that was answered with the question."""
    session.execute(FORGET, {"account": account_id})
    session.execute(REMEMBER, {"account": account_id, "request": request})


def take(session: Session, account_id: int, request: bytes) -> bool:
    """Whether they were asked about the same call just now. That counts once."""
    return session.execute(TAKE, {"account": account_id, "request": request}).first() is not None


SPAN: Final = "interval '10 minutes'"
FORGET: Final = text(f"DELETE FROM reach_questions WHERE account_id = :account AND asked_at < now() - {SPAN}")  # noqa: S608
REMEMBER: Final = text("""
    INSERT INTO reach_questions (account_id, request) VALUES (:account, :request)
    ON CONFLICT (account_id, request) DO UPDATE SET asked_at = now()
""")
TAKE: Final = text(f"""
    DELETE FROM reach_questions
    WHERE account_id = :account AND request = :request AND asked_at > now() - {SPAN} RETURNING 1
""")  # noqa: S608 - put together from constants
