"""How every process reaches PostgreSQL: one engine each, short transactions, bounded statements."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, ExceptionContext, create_engine, event, insert, make_url, select, text
from sqlalchemy.exc import InvalidatePoolError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.errors import SettingsError
from gateway.failpoints import crash_point
from gateway.store import restore_marker
from gateway.store.tables import Installation

APPLICATION = "critter"
AUDIT_KEYS = "audit_keys"  # the execution option in which an engine carries the keys for the seals of the audit
POOLED = "pooled"  # the one that says whether the engine leads to a pooler
SESSION = {
    "timezone": "UTC",
    "statement_timeout": "30s",
    "lock_timeout": "4s",  # less than a lease, so that a worker that waits for a lock can give its work back in time
    "idle_in_transaction_session_timeout": "60s",
}
RESTED = 0.5  # seconds without use, after which a connection is checked
# Statements that a session keeps prepared. A worker that reads texts has some three hundred; with the driver's hundred,
# the server planned most of them anew each time.
PREPARED = 300

# SQLSTATEs, whole or by class, of transient errors: connections, conflicts with others, too few resources, locks, a
# server that is being stopped or is read-only for now, its disk, and statements or transactions that ran out of time.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
TRANSIENT_STATES = ("08", "40", "53", "55", "57P", "57014", "58", "25006", "25P03", "25P04")
# Of these, the errors that a single row may cause for itself alone.
OF_ONE = ("40", "55P03", "57014", "25P03", "25P04")
# Those that the driver does not count among operational errors. Each makes its connection useless: the server has ended
# it, or only reads by now because another server has taken its place.
MISCOUNTED = ("25006", "25P03", "25P04")
ENDED_THERE = "8s2b"  # SQLAlchemy's code for going on in a transaction whose connection is gone

# A machine that vanishes must not keep its locks, and a worker must not wait for a server that is gone: both ends
# notice within about 20 seconds. NOTICED are libpq's names for our end, NOTICED_THERE the server's settings for its
# end; neither matters on a Unix socket.
NOTICED = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 20_000}
NOTICED_THERE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "20s",
}

# Every statement of the doors and workers is a look-up by key. A planner without statistics, in a fresh database or
# after a large fan-out, would read whole tables instead and keep that plan, also for the checks of foreign keys.
BY_KEY = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "join_collapse_limit": "1",
    "jit": "off",
}


def connect(
    url: str,
    pool: int = 5,
    connect_timeout: int = 5,
    *,
    by_key: bool = False,
    keys: Sequence[str] = (),
    marked: bool = False,
) -> Engine:
    """An engine for this process; never share it across a fork. Its errors never show what a statement carried.

    `by_key`: every statement is a look-up by key, see BY_KEY. A URL with `?pooled=on` leads to a pooler that gives each
    transaction another connection (PgBouncer): then nothing is kept in a session, and nothing is prepared. `keys`: the
    secret keys of the settings, for processes that write or read the audit. `marked`: also connect to a database that a
    restore has not finished; for the restore alone (store/restore_marker).
    """
    place = make_url(url)
    pooled = place.query.get("pooled") == "on"
    session = {**SESSION, **(BY_KEY if by_key else {})}
    arguments: dict[str, Any] = {"application_name": APPLICATION, "connect_timeout": connect_timeout, **NOTICED}
    if pooled:
        arguments["prepare_threshold"] = None
    else:
        given = {**session, **NOTICED_THERE}
        arguments["options"] = " ".join(f"-c {name}={value}" for name, value in given.items())
    engine = create_engine(
        place.difference_update_query(["pooled"]),
        pool_size=pool,
        max_overflow=pool,
        pool_use_lifo=True,  # the connection that was used last has prepared what comes again
        hide_parameters=True,
        connect_args=arguments,
        execution_options={AUDIT_KEYS: tuple(keys), POOLED: pooled},
    )
    if pooled:
        each = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in session.items())
        each += (
            "" if marked else f"; {restore_marker.REFUSE}"
        )  # its connections outlive a restore, so each transaction asks
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(each))
    elif not marked:
        event.listen(engine, "connect", restore_marker.refuse_marked)
    event.listen(engine, "connect", _keep_prepared)
    event.listen(engine, "handle_error", _count_as_operational)
    event.listen(engine, "checkin", _rests)
    event.listen(engine, "checkout", lambda connection, record, _: _check(engine, connection, record))
    return engine


def _keep_prepared(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.prepared_max = PREPARED


def _rests(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["since"] = time.monotonic()


def _check(engine: Engine, connection: Any, record: ConnectionPoolEntry) -> None:
    """Pings a connection that was not used for RESTED; a ping before each of many short transactions would cost a tenth
    of their time. The pool replaces a connection that does not answer, and all that are older."""
    if time.monotonic() - record.info.get("since", math.inf) > RESTED:
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


def passes(error: OperationalError) -> bool:
    """Whether the error is transient, so that trying again can help. Without a code the connection was lost, or none
    was free."""
    state = _state(error.orig)
    return state is None or state.startswith(TRANSIENT_STATES)


def concerns_one(error: OperationalError) -> bool:
    """Whether one row may have caused the error, while the database serves others well."""
    return (_state(error.orig) or "").startswith(OF_ONE)


def _state(error: BaseException | None) -> str | None:
    state: str | None = getattr(error, "sqlstate", None)
    return state


def _count_as_operational(context: ExceptionContext) -> None:
    """Turns the errors of MISCOUNTED into operational ones, and has the pool replace its connections. To the driver, a
    transaction that was idle for too long is an internal error, which would be blamed on the row at hand."""
    error, state = context.original_exception, _state(context.original_exception)
    if state in MISCOUNTED and isinstance(error, Exception):
        context.is_disconnect = True
        raise OperationalError(context.statement, None, error, hide_parameters=True) from error


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session that commits when the block ends, and rolls back when it raises. When no connection is free, or the
    server ended ours, it raises OperationalError, as for a database that is away."""
    try:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session
            crash_point("not committed")
    except PoolTimeout as full:
        raise OperationalError(None, None, full) from full
    except PendingRollbackError as lost:
        if lost.code != ENDED_THERE:
            raise
        raise OperationalError(None, None, lost) from lost
    crash_point("committed")


def new_ids(session: Session, count: int) -> Sequence[int]:
    """A block of `count` ids in ascending order, made by the database."""
    return session.scalars(text("SELECT new_id() FROM generate_series(1, :count)"), {"count": count}).all()


def claim_mode(session: Session, mode: str) -> None:
    """Stores which mode made this database; raises SettingsError when the other mode made it."""
    made_by = session.scalar(select(Installation.mode))
    if made_by is None:
        session.execute(insert(Installation).values(mode=mode))  # an older schema lacks columns of ours
    elif made_by != mode:
        raise SettingsError(
            f"CRITTER_MODE is {mode}, but this database was made by {made_by} Critter: "
            "set CRITTER_DATABASE_URL to another"
        )
