"""The way from any older database to schema.sql; `critter migrate` and the supervisor run it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

FOLDER = Path(__file__).parent
LOCK = 0x43726974  # one migration at a time, over every machine


def migrate(engine: Engine, to: str = "head") -> None:
    """Brings the database to that revision, and makes the partitions of this month and the next two."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        ensure_partitions = "SELECT ensure_partition(now() + n * interval '1 month') FROM generate_series(0, 2) n"
        connection.execute(text(ensure_partitions))
