"""A database for one command: the one that runs, or the embedded server, started for as long as the command takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from critter.console.database import Unfinished, open_as_owner, open_database
from critter.servers import Servers
from gateway.errors import Refused
from gateway.settings import Settings, embedded


@contextmanager
def reach_servers(settings: Settings, *, by_owner: bool = False) -> Iterator[bool]:
    """True: nobody else has it, for it was started here. Raises Refused for a server of one's own that is away.
    `by_owner`: asked as the owner's role, past a pooler, which would keep a connection that is then in the way."""
    if _answers(settings, by_owner):
        yield False
    else:
        with Servers(settings.var, redis=False):
            yield True


def _answers(settings: Settings, by_owner: bool) -> bool:
    """Also with a database that a restore has not finished: the restore that comes next may finish it."""
    try:
        (open_as_owner if by_owner else open_database)(settings).dispose()
    except Unfinished:
        return True
    except Refused:
        if settings.database_url != embedded.database_url(settings.var):
            raise
        return False
    return True
