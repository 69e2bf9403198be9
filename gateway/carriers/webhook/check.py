"""The check of `critter check` for the web hook; it sends no text."""

import http.client
from urllib.parse import urlsplit

from gateway.carriers.common.http_check import open_connection
from gateway.errors import Refused
from gateway.settings import Settings


def listens(settings: Settings) -> str:
    """Checks only that something listens: there is no request that would not be a text."""
    where = urlsplit(settings.hook_url)
    connection = open_connection(settings.hook_url)
    try:
        connection.connect()
    except (OSError, http.client.HTTPException) as error:
        raise Refused(f"{where.netloc} does not answer ({error}): look at CRITTER_HOOK_URL") from None
    finally:
        connection.close()
    return f"{where.netloc} listens"
