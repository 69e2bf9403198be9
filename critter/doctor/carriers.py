"""The checks of `critter check` for Kannel and the web hook; neither sends a text. critter/doctor/check runs them."""

import http.client
from urllib.parse import urlsplit

from gateway.errors import Refused
from gateway.settings import Settings

TIMEOUT = 10.0  # seconds


def kannel(settings: Settings) -> str:
    """Asks Kannel for a text to nobody: it checks the user first, and then refuses the empty number."""
    where = urlsplit(settings.kannel_url)
    connection = _connection(settings.kannel_url)
    headers = {
        "X-Kannel-Username": settings.kannel_username,
        "X-Kannel-Password": settings.kannel_password,
        "X-Kannel-To": "",
        "Content-Type": "text/plain",
    }
    try:
        connection.request("POST", where.path, body=b"x", headers=headers)
        answer = connection.getresponse()
        words = answer.read(200).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise Refused(f"{where.netloc} does not answer ({error}): look at smsbox and KANNEL_URL") from None
    finally:
        connection.close()
    if "Authorization failed" in words:
        raise Refused("our user is refused: look at KANNEL_USERNAME, KANNEL_PASSWORD and its user-allow-ip")
    if answer.status != http.HTTPStatus.BAD_REQUEST:
        raise Refused(f"{where.netloc} answers {answer.status}: is KANNEL_URL its sendsms, as …/cgi-bin/sendsms?")
    return f"{where.netloc} takes our user"


def hook(settings: Settings) -> str:
    """Checks only that something listens: there is no request that would not be a text."""
    where = urlsplit(settings.hook_url)
    connection = _connection(settings.hook_url)
    try:
        connection.connect()
    except (OSError, http.client.HTTPException) as error:
        raise Refused(f"{where.netloc} does not answer ({error}): look at CRITTER_HOOK_URL") from None
    finally:
        connection.close()
    return f"{where.netloc} listens"


def _connection(url: str) -> http.client.HTTPConnection:
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    return kind(where.hostname or "", where.port, timeout=TIMEOUT)
