"""Makes, renames and drops databases beside ours, on the same PostgreSQL. A restore and its drill use it.

A database that a restore made is recognised by its comment, which can be read without connecting to it.
"""

import time
from typing import Any, Final, Self

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from critter.backup import postgres_programs
from critter.console.console import format_count
from gateway.errors import Refused
from gateway.failpoints import crash_point
from gateway.store.restore_marker import IS_MARKED, MARK, UNMARK

MAINTENANCE: Final = ("postgres", "template1")  # every server has them; ours must not be open while it is renamed
OURS: Final = "critter restore: "  # the beginning of the comments of databases that a restore made
EMPTY: Final = f"{OURS}was empty, and is dropped"
PATIENCE: Final = 10.0  # seconds for the last statement of a killed restore to end
LEAVING: Final = 2.0  # seconds in which the server notices a closed connection
LONGEST: Final = 40  # characters of our name that the others begin with; PostgreSQL allows 63


class Unreachable(Exception):
    """This server does not let us make and rename databases; the text says why."""


class Server:
    """The server during one restore or drill, of which there is one at a time for each database."""

    def __init__(self, url: str) -> None:
        """Raises Unreachable."""
        self._url = make_url(url)
        self.live = self._url.database or "critter"
        self._admin = self._connected()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._admin.close()

    def _connected(self) -> psycopg.Connection:
        """A connection to another database than ours, by a role that may make databases and owns ours."""
        problem = "it has no other database"
        for name in MAINTENANCE:
            try:
                admin = psycopg.connect(**connection_arguments(self.url(name)), autocommit=True)
            except psycopg.Error as error:
                problem = describe_failure(error)
                continue
            if forbidden := self._forbidden(admin):
                admin.close()
                raise Unreachable(forbidden)
            return admin
        raise Unreachable(f"no other database of this server lets us in: {problem}")

    def _forbidden(self, admin: psycopg.Connection) -> str | None:
        row = admin.execute(MAY, {"name": self.live}).fetchone()
        if row is None:
            return f"there is no database {self.live}"
        if not row[0]:
            return "this role may not create databases (CREATEDB)"
        return None if row[1] else f"this role does not own the database {self.live}"

    def url(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def lock(self) -> None:
        """Takes the lock, which is released with the connection. Raises Refused."""
        end = time.monotonic() + PATIENCE
        while not self._value("SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0))", f"restore {self.live}"):
            if time.monotonic() > end:
                raise Refused("Another critter restore of this database is at work: wait for it, or end it.")
            time.sleep(0.2)

    def comment(self, name: str) -> str | None:
        """The comment that a restore wrote on a database; None when there is no such database."""
        found = self._admin.execute(COMMENT, {"name": name}).fetchone()
        return None if found is None else found[0] or ""

    def note(self, name: str, words: str) -> None:
        self._run("COMMENT ON DATABASE {} IS {}", sql.Identifier(name), sql.Literal(words))

    def make(self, name: str, words: str) -> None:
        """Makes an empty, marked database, and replaces one that an earlier restore left. Raises Refused."""
        there = self.comment(name)
        if there is not None and not there.startswith(OURS) and not self.is_empty(name):
            raise Refused(f"There is a database {name}, which no restore made: rename or drop it first.")
        try:
            self.drop(name)
            crash_point("leftovers dropped")
            self._create(name)
            crash_point("database made")
            self.note(name, words)
            self._inside(name, MARK)
        except psycopg.Error as error:
            raise Refused(f"The database {name} cannot be made: {describe_failure(error)}") from None
        crash_point("database marked")

    def _create(self, name: str) -> None:
        """Creates it like ours, with the rights and settings of the database itself."""
        row = self._admin.execute(MADE_AS, {"name": self.live}).fetchone()
        assert row is not None
        statement = "CREATE DATABASE {} TEMPLATE template0 OWNER {} ENCODING {}"
        parts: list[sql.Composable] = [sql.Identifier(name), sql.Identifier(row[0]), sql.Literal(row[1])]
        if row[2] == "c":
            statement += " LOCALE_PROVIDER libc LC_COLLATE {} LC_CTYPE {}"
            parts += [sql.Literal(row[3]), sql.Literal(row[4])]
        self._run(statement, *parts)
        self._copy_rights(name)
        for setting in self._admin.execute(SETTINGS, {"name": self.live}).fetchall():
            key, _, value = setting[0].partition("=")
            self._value("SELECT set_config(%(name)s, %(value)s, false)", key, value)
            self._run("ALTER DATABASE {} SET {} FROM CURRENT", sql.Identifier(name), sql.SQL(key))
            self._run("RESET {}", sql.SQL(key))

    def _copy_rights(self, name: str) -> None:
        rights = self._admin.execute(RIGHTS, {"name": self.live}).fetchall()
        if rights:
            self._run("REVOKE ALL ON DATABASE {} FROM PUBLIC", sql.Identifier(name))
        for right, role in rights:
            to = sql.Identifier(role) if role else sql.SQL("PUBLIC")
            self._run("GRANT {} ON DATABASE {} TO {}", sql.SQL(right), sql.Identifier(name), to)

    def unmark(self, name: str) -> None:
        self._inside(name, UNMARK)
        crash_point("mark taken away")

    def drop(self, name: str) -> None:
        """Drops it and disconnects its clients: the pg_restore of a killed restore may still be running. FORCE is
        refused while the server itself cleans up there; a DROP without it ends that."""
        end = time.monotonic() + PATIENCE
        while True:
            for force in (" WITH (FORCE)", ""):
                try:
                    return self._run(f"DROP DATABASE IF EXISTS {{}}{force}", sql.Identifier(name))
                except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
                    if time.monotonic() > end:
                        raise
            time.sleep(0.2)

    def is_empty(self, name: str) -> bool:
        """Whether it is empty, or has only what an interrupted restore left."""
        return bool(self._inside(name, NOTHING_IN_IT)) or bool(self._inside(name, IS_MARKED))

    def refuse_others(self) -> None:
        """Raises Refused while others use what is to be replaced."""
        end = time.monotonic() + LEAVING
        while others := self._value(OTHERS, self.live):
            if time.monotonic() > end:
                raise Refused(f"{format_count(others, 'connection')} to the database: stop Critter's processes first.")
            time.sleep(0.1)

    def left_behind(self) -> list[str]:
        """Empty databases that a restore has replaced, and was ended before it dropped them."""
        return [name for (name,) in self._admin.execute(LEFT, {"words": EMPTY})]

    def names(self) -> set[str]:
        return {name for (name,) in self._admin.execute("SELECT datname FROM pg_database")}

    def swap(self, new: str, old_name: str, *, empty: bool) -> None:
        """Gives the new one our name and ours the name under which it is kept: both, or neither. Raises Refused."""
        try:
            with self._admin.transaction():
                if empty:
                    self.note(self.live, EMPTY)
                self._run("ALTER DATABASE {} RENAME TO {}", sql.Identifier(self.live), sql.Identifier(old_name))
                self._run("ALTER DATABASE {} RENAME TO {}", sql.Identifier(new), sql.Identifier(self.live))
                self._run("COMMENT ON DATABASE {} IS NULL", sql.Identifier(self.live))
                crash_point("not renamed")
        except psycopg.errors.ObjectInUse:
            raise Refused(
                "The backup is restored, but somebody is connected to our database again: stop Critter's processes, "
                "then run the same command once more. Nothing was changed, and it will end within seconds."
            ) from None
        crash_point("renamed")

    def _run(self, statement: str, *parts: sql.Composable) -> None:
        self._admin.execute(sql.SQL(statement).format(*parts))

    def _value(self, statement: str, name: str, value: str = "") -> Any:
        row = self._admin.execute(statement, {"name": name, "value": value}).fetchone()
        return row[0] if row else None

    def _inside(self, name: str, statement: str) -> Any:
        """Runs one statement in that database; returns its value if it has one."""
        with psycopg.connect(**connection_arguments(self.url(name)), autocommit=True) as connection:
            done = connection.execute(statement)
            row = done.fetchone() if done.description else None
        return row[0] if row else None


def connection_arguments(url: str) -> dict[str, Any]:
    """The arguments of a connection by the driver itself."""
    plain = make_url(url).difference_update_query(["pooled"]).render_as_string(hide_password=False)
    return {"conninfo": plain, "application_name": postgres_programs.APPLICATION, "connect_timeout": 10}


def describe_failure(error: psycopg.Error) -> str:
    """The first line of the error."""
    return str(error).strip().splitlines()[0]


MAY: Final = """
    SELECT rolcreatedb OR rolsuper, rolsuper OR pg_has_role(datdba, 'USAGE')
    FROM pg_roles, pg_database WHERE rolname = current_user AND datname = %(name)s
"""
MADE_AS: Final = """
    SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datlocprovider::text, datcollate, datctype
    FROM pg_database WHERE datname = %(name)s
"""
RIGHTS: Final = """
    SELECT privilege_type, CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END
    FROM pg_database, aclexplode(datacl) WHERE datname = %(name)s AND grantee <> datdba
"""
SETTINGS: Final = """
    SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
    WHERE datname = %(name)s AND setrole = 0
"""
COMMENT: Final = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %(name)s"
NOTHING_IN_IT: Final = """
    SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p'))
"""
# The server shows details of a connection only to members of its role, but its user to everybody. The server's own
# connections have no role.
CLIENTS: Final = "usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'"
OTHERS: Final = f"SELECT count(*) FROM pg_stat_activity WHERE datname = %(name)s AND {CLIENTS}"  # noqa: S608
LEFT: Final = "SELECT datname FROM pg_database WHERE shobj_description(oid, 'pg_database') = %(words)s"
