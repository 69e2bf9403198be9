"""The link of the first start, for the console of whoever starts Critter: `critter up` and `critter web` show it, as
long as nobody runs this installation."""

from sqlalchemy import Engine

from critter.console.database import open_database
from gateway.errors import Refused
from gateway.network.verification import first_admin
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction


def first_link(settings: Settings, engine: Engine) -> str | None:
    """A line for the console; None when somebody runs this installation already."""
    with transaction(engine) as session:
        link = first_admin.link(session, Signer(settings.secret_keys), settings.public_url)
    return f"Nobody runs Critter yet. Whoever opens this page first does: {link}" if link else None


def find_first_link(settings: Settings) -> str | None:
    """The same for a process that starts although the database is away: then there is none."""
    try:
        engine = open_database(settings)
    except Refused:
        return None
    try:
        return first_link(settings, engine)
    finally:
        engine.dispose()
