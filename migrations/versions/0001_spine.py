"""The first schema. Its SQL stands beside it, as it was then; schema.sql goes on."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    # The driver itself takes the text whole: % and : in it are SQL's, not parameters.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(__file__).with_suffix(".sql").read_text())
