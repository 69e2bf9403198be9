"""Reactions whose author has not heard of them yet: they are told with the next answer."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    # The driver itself takes the text whole: % and : in it are SQL's, not parameters.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(__file__).with_suffix(".sql").read_text())
