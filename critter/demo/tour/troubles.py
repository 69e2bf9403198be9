"""What goes wrong behind the tour's buttons, as sentences for the person at the page."""

import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from gateway.errors import Refused
from simulator.tour import Trouble

DATABASE_AWAY = "The database does not answer. Nothing is lost; the page asks again."
SIMULATOR_AWAY = "The simulator does not answer. critter up starts it again by itself."


@contextmanager
def describe() -> Iterator[None]:
    """Raises Trouble for what is expected to happen now and then."""
    try:
        yield
    except (exc.OperationalError, exc.TimeoutError) as problem:
        raise Trouble(DATABASE_AWAY) from problem
    except Refused as refused:
        raise Trouble(str(refused)) from refused
    except (urllib.error.URLError, ConnectionError) as problem:
        raise Trouble(SIMULATOR_AWAY) from problem
