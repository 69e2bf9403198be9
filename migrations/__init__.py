"""The way from any older database to schema.sql; `critter migrate` and the supervisor run it."""

from pathlib import Path

from sqlalchemy import Engine, text

from gateway.ledger import partitions

FOLDER = Path(__file__).parent
LOCK = 0x43726974  # one migration at a time, over every machine


def newest() -> str:
    """The revision that this code needs."""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py"))


def installed(engine: Engine) -> str | None:
    """The revision that the database has; None when it is empty. One that is newer than ours fits, too: what changes
    is first only added to (docs/running.md, New versions)."""
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


def migrate(engine: Engine, to: str = "head") -> None:
    """Brings the database to that revision, and makes the partitions of this month and the next two."""
    from alembic import command  # slow to import, and a process that only starts does without
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, to)
    partitions.make(engine)
