"""A database for one command: the one that runs, or the embedded server, started for as long as the command takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from critter.database import opened
from critter.servers import Servers
from gateway.errors import Refused
from gateway.settings import Settings, embedded


@contextmanager
def reached(settings: Settings) -> Iterator[bool]:
    """True: nobody else has it, for it was started here. Raises Refused for a server of one's own that is away."""
    try:
        opened(settings).dispose()
    except Refused:
        if settings.database_url != embedded.database_url(settings.var):
            raise
        with Servers(settings.var, redis=False):
            yield True
        return
    yield False
