"""Opens the database for the command line: reachable, durable, of our mode and migrated, or one line why not."""

import logging

from sqlalchemy import Engine, inspect, make_url, text
from sqlalchemy.exc import OperationalError

import migrations
from gateway.errors import Refused
from gateway.ledger.audit import audit_log
from gateway.settings import Settings
from gateway.store import restore_marker
from gateway.store.database import claim_mode, connect, transaction
from migrations.running import Report

MUST_BE_ON = ("fsync", "synchronous_commit")


class Unfinished(Refused):
    """The database answers, but a restore into it is not complete."""

    def __init__(self) -> None:
        super().__init__(restore_marker.REFUSAL)


def open_database(settings: Settings) -> Engine:
    """An engine on a database that answers and is complete; raises Refused. Commands that read or change something
    begin with it."""
    return _opened(settings, settings.database_url)


def open_as_owner(settings: Settings) -> Engine:
    """The same with the role that owns the tables, for what changes more than rows."""
    return _opened(settings, settings.database_owner_url)


def process_role(settings: Settings, database: str | None = None) -> str:
    """The name of the role that the processes use. `database`: asked there, also while a restore fills it. A pooler
    knows only our database, and would keep a connection to it, so then the name in the URL is used."""
    place = make_url(settings.database_url)
    if database and place.username and place.query.get("pooled") == "on":
        return place.username
    url = (place.set(database=database) if database else place).render_as_string(hide_password=False)
    engine = _opened(settings, url, marked=database is not None)
    with engine.connect() as connection:
        name = str(connection.scalar(text("SELECT current_user")))
    engine.dispose()
    return name


def _opened(settings: Settings, url: str, *, marked: bool = False) -> Engine:
    engine = connect(url, keys=settings.secret_keys, marked=marked)
    try:
        with engine.begin():
            pass
    except OperationalError as error:
        engine.dispose()
        if restore_marker.is_refusal(error):
            raise Unfinished from None
        reason = str(error.orig).strip().splitlines()[0]
        raise Refused(f"The database does not answer: is `critter up` running? ({reason})") from None
    return engine


def prepare(settings: Settings, unsafe: bool = False, report: Report = lambda line: None) -> Engine:
    """Makes the database durable, of our mode and migrated to the newest schema. `report` is called with a migration's
    progress."""
    owner = open_as_owner(settings)
    try:
        if not unsafe:
            refuse_undurable(owner)
        older = inspect(owner).has_table("installation")
        if older:
            _refuse_other_mode(settings, owner)  # before anything changes
        migrations.migrate(owner, report=report, role=process_role(settings))
        _claim(owner, settings.mode)
        if older:
            with transaction(owner) as session:
                audit_log.begin_seals(session)
    finally:
        owner.dispose()
    return open_database(settings)


def _refuse_other_mode(settings: Settings, owner: Engine) -> None:
    """Asks with a role that may read it: the owner, or the role to which an older version gave everything."""
    with owner.connect() as connection:
        readable = connection.scalar(text("SELECT has_table_privilege('installation', 'SELECT')"))
    engine = owner if readable else open_database(settings)
    _claim(engine, settings.mode)
    if engine is not owner:
        engine.dispose()


def find_undurable(engine: Engine) -> list[str]:
    """The settings with which PostgreSQL would confirm what a power cut can take back."""
    with engine.connect() as connection:
        return [name for name in MUST_BE_ON if connection.scalar(text(f"SHOW {name}")) == "off"]


def refuse_undurable(engine: Engine) -> None:
    off = find_undurable(engine)
    if off:
        raise Refused(
            f"PostgreSQL has {' and '.join(off)} off and would lose what it confirmed: switch it on "
            "(for experiments: --unsafe, or CRITTER_UNSAFE=on)"
        )


def refuse_old_schema(engine: Engine) -> None:
    """A newer schema is accepted: two versions of the code run on one database while one replaces the other."""
    there, needed = migrations.installed(engine), migrations.newest()
    if there is None:
        raise Refused("The database is empty: run critter migrate, which makes it (critter up does so by itself).")
    if there < needed:
        raise Refused(
            f"The database has schema {there}, and this Critter needs {needed}: run critter migrate first. "
            "Processes of the version before may run on meanwhile."
        )


def refuse_unsafe_start(settings: Settings) -> None:
    """For a single process. It starts although the database is unreachable: the doors then answer "later"."""
    try:
        engine = open_database(settings)
    except Unfinished:
        raise
    except Refused:
        logging.getLogger(__name__).warning("the database does not answer yet: it is not checked")
        return
    try:
        refuse_old_schema(engine)
        if not settings.unsafe:
            refuse_undurable(engine)
    finally:
        engine.dispose()


def _claim(engine: Engine, mode: str) -> None:
    with transaction(engine) as session:
        claim_mode(session, mode)
