"""Hashes of what private posts say, by which a repeat of them is told before it is published."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # The driver itself takes the text whole: % and : in it are SQL's, not parameters.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(__file__).with_suffix(".sql").read_text())
