"""Makes the database available for one command: the running server, or the embedded one, started while the command
runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from critter.console.database import Unfinished, open_as_owner, open_database
from critter.servers import Servers
from gateway.errors import Refused
from gateway.settings import Settings, embedded


@contextmanager
def reach_servers(settings: Settings, *, by_owner: bool = False) -> Iterator[bool]:
    """Yields True when the server was started here, so that nobody else uses it. Raises Refused when the company's own
    server is unreachable. `by_owner`: connects with the owner's role, past a pooler, which would keep a connection that
    is in the way later."""
    if _answers(settings, by_owner):
        yield False
    else:
        with Servers(settings.var, redis=False):
            yield True


def _answers(settings: Settings, by_owner: bool) -> bool:
    """Whether the server answers, also with a database whose restore is not complete: the next restore may complete
    it."""
    try:
        (open_as_owner if by_owner else open_database)(settings).dispose()
    except Unfinished:
        return True
    except Refused:
        if settings.database_url != embedded.database_url(settings.var):
            raise
        return False
    return True
