"""A database in trouble: whoever writes into a table gets the SQLSTATE that a test asks for."""

from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from tests.support.databases import restructure
from workers.runtime.context import WorkerContext

# https://www.postgresql.org/docs/current/errcodes-appendix.html
OF_ONE = ["57014", "55P03", "40001", "40P01", "25P03", "25P04"]
OF_ALL = ["08000", "08003", "08006", "08001", "08004", "57P01", "57P02", "57P03", "53100", "53200", "53300", "53400",
          "55006", "58030", "58P01", "25006"]  # fmt: skip


def break_table(engine: Engine, table: str, state: str, action: str = "INSERT", when: str = "true") -> None:
    """Whoever writes into it gets this SQLSTATE."""
    restructure(
        engine,
        f"CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN"
        f" RAISE EXCEPTION 'made up' USING ERRCODE = '{state}'; END IF; RETURN coalesce(NEW, OLD); END $$",
    )
    restructure(
        engine, f"CREATE OR REPLACE TRIGGER broken BEFORE {action} ON {table} FOR EACH ROW EXECUTE FUNCTION broken()"
    )


def mend(engine: Engine, table: str) -> None:
    restructure(engine, f"DROP TRIGGER broken ON {table}; DROP FUNCTION broken")


def fails(step: Callable[[WorkerContext], object], context: WorkerContext) -> None:
    """One step, whatever it raises of the database: the drain would log it."""
    with suppress(OperationalError):
        step(context)
