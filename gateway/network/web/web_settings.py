"""How pages look to somebody, and whether single letters do something on them."""

from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

Look = Literal["light", "dark"]


def set_look(session: Session, account_id: int, look: Look | None) -> None:
    """None: as the device is."""
    session.execute(PUT_LOOK, {"account": account_id, "look": look})


def set_keys(session: Session, account_id: int, on: bool) -> None:
    session.execute(PUT_KEYS, {"account": account_id, "keys": on})


PUT_LOOK: Final = text("""
    INSERT INTO web_settings (account_id, look) VALUES (:account, :look)
    ON CONFLICT (account_id) DO UPDATE SET look = excluded.look
""")
PUT_KEYS: Final = text("""
    INSERT INTO web_settings (account_id, keys) VALUES (:account, :keys)
    ON CONFLICT (account_id) DO UPDATE SET keys = excluded.keys
""")
