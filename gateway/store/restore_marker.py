"""The mark of a database that a restore is still filling: no process may use it before it is whole (R61).

The mark is a table, made before the backup is read in, and dropped when everything is migrated, erased and held. Each
new connection checks for it (store/database) and is refused while it is there. critter/backup/restore makes the mark
and drops it.
"""

from typing import Any, Final

from sqlalchemy.exc import DBAPIError

REFUSAL: Final = (
    "A restore into this database was broken off, or still runs: run critter restore FILE again. "
    "Until it has ended nothing may use this database."
)
TABLE: Final = "public.restoring"
CANNOT_CONNECT_NOW: Final = "57P03"  # workers and doors treat it like a database that is away, and wait

MARK: Final = f"CREATE TABLE IF NOT EXISTS {TABLE} (since timestamptz NOT NULL DEFAULT now())"
UNMARK: Final = f"DROP TABLE IF EXISTS {TABLE}"
IS_MARKED: Final = f"SELECT to_regclass('{TABLE}') IS NOT NULL"
REFUSE: Final = f"""DO $$ BEGIN IF to_regclass('{TABLE}') IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '{CANNOT_CONNECT_NOW}', MESSAGE = '{REFUSAL}'; END IF; END $$"""


def refuse_marked(connection: Any, _record: object = None) -> None:
    """Called for each new connection of the driver. In a marked database it closes the connection and raises the
    driver's OperationalError."""
    try:
        connection.execute(REFUSE)
        connection.rollback()
    except BaseException:
        connection.close()
        raise


def is_refusal(error: BaseException) -> bool:
    """Whether this error came from the mark, and not from a database that is really away."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) == CANNOT_CONNECT_NOW and REFUSAL in str(cause)
