"""How every process logs: one JSON object a line, or something readable on a terminal. Never numbers or bodies."""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

import psycopg
import structlog

from gateway.security.masking import blank_out

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
QUIET = ("mail.log", "mail.debug", "aiosmtpd", "werkzeug")  # they log addresses and message bodies


def configure(level: int = logging.INFO) -> None:
    """Routes structlog and the standard library's logging, libraries included, to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(_Discreet(foreign_pre_chain=shared, processors=_last_steps()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    sys.excepthook = _uncaught
    threading.excepthook = lambda ended: _uncaught(ended.exc_type, ended.exc_value, ended.exc_traceback)


class _Discreet(structlog.stdlib.ProcessorFormatter):
    """Every line of every process passes through this, those of libraries too."""

    def format(self, record: logging.LogRecord) -> str:
        return blank_out(super().format(record))


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Logs what ends a process or a thread like everything else; Python itself would hide nothing."""
    if error is None or issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("critter").critical("ended by an error", exc_info=(kind, error, trace))


def configure_told(exc_info: ExcInfo) -> str:
    """A traceback. For an error of the database it has no values: PostgreSQL quotes those of the row (`Key (address)=
    …`) in its details, and in its first line what it cannot read as a number or a date."""
    written = "".join(traceback.format_exception(*exc_info))
    for refused in _refused(exc_info[1]):
        first = (str(refused).splitlines() or [""])[0]
        kept = f"SQLSTATE {refused.sqlstate}" if isinstance(refused, QUOTING) else first
        written = written.replace(str(refused), kept) if str(refused) else written
    return written.rstrip("\n")


def _refused(error: BaseException | None) -> Iterator[psycopg.Error]:
    """The database's own error anywhere in the chain of an error."""
    reached, seen = [error], set[int]()
    while reached:
        one = reached.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, psycopg.Error):
            yield one
        reached += [one.__cause__, one.__context__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]


QUOTING: Final = (psycopg.DataError, psycopg.IntegrityError)


def _last_steps() -> list[Any]:
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    whole = structlog.processors.ExceptionRenderer(configure_told)
    if sys.stderr.isatty():
        return [drop, whole, structlog.dev.ConsoleRenderer()]
    return [drop, whole, structlog.processors.JSONRenderer(ensure_ascii=False)]
