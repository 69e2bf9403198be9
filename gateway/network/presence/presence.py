"""Who is on the web: people are there when they have just done something, not when a page is open. The database forgets
it in a crash, and then nobody waits. The web door and the API note it with each request that a person made."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


def note_activity(session: Session, account_id: int) -> None:
    """Notes that somebody has just done something there; writes at most once in half a minute."""
    session.execute(NOTE, {"account": account_id})


NOTE: Final = text("""
    INSERT INTO presence (account_id, active_at)
    SELECT :account, now() WHERE NOT EXISTS (
        SELECT FROM presence WHERE account_id = :account
          AND active_at BETWEEN now() - interval '30 seconds' AND now() + interval '30 seconds')
    ON CONFLICT (account_id) DO UPDATE SET active_at = excluded.active_at
""")
