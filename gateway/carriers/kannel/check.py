"""The check of `critter check` for Kannel; it sends no text."""

import http.client
from urllib.parse import urlsplit

from gateway.carriers.common.http_check import open_connection
from gateway.errors import Refused
from gateway.settings import Settings


def user(settings: Settings) -> str:
    """Asks Kannel for a text to nobody: it checks the user first, and then refuses the empty number."""
    where = urlsplit(settings.kannel_url)
    connection = open_connection(settings.kannel_url)
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
