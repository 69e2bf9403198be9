"""A database for one command: the one that runs, or the embedded server, started for as long as the command takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from critter.database import Unfinished, opened
from critter.servers import Servers
from gateway.errors import Refused
from gateway.settings import Settings, embedded


@contextmanager
def reached(settings: Settings) -> Iterator[bool]:
    """True: nobody else has it, for it was started here. Raises Refused for a server of one's own that is away."""
    if _answers(settings):
        yield False
    else:
        with Servers(settings.var, redis=False):
            yield True


def _answers(settings: Settings) -> bool:
    """Also with a database that a restore has not finished: the restore that comes next may finish it."""
    try:
        opened(settings).dispose()
    except Unfinished:
        return True
    except Refused:
        if settings.database_url != embedded.database_url(settings.var):
            raise
        return False
    return True
