"""Checks the outside world for `critter check` and for processes that start: our own address. What a carrier needs is
checked by its own check.py.

Each check sends nothing that costs, returns what is fine, and raises Refused with the setting and the fix.
"""

import http.client
import socket
import ssl
from http import HTTPStatus
from urllib.parse import urlsplit

from gateway.carriers.common.http_check import get, shorten
from gateway.errors import Refused
from gateway.settings import Settings


def web_address(settings: Settings) -> str:
    """Asks our own public address for its health, as an outside client would."""
    url = urlsplit(settings.public_url)
    try:
        status, body = get(settings.public_url, f"{url.path}/healthz")
    except socket.gaierror as error:
        raise Refused(f"CRITTER_PUBLIC_URL: the name {url.hostname} is not found ({error.strerror})") from None
    except ssl.SSLError as error:
        raise Refused(f"CRITTER_PUBLIC_URL: the certificate of {url.netloc} is not good ({error.reason})") from None
    except (OSError, http.client.HTTPException) as error:
        raise Refused(
            f"CRITTER_PUBLIC_URL: {url.netloc} does not answer ({shorten(error)}): do critter web and the proxy run?"
        ) from None
    if status != HTTPStatus.OK or body.strip() != b"ok":
        raise Refused(f"CRITTER_PUBLIC_URL: {url.netloc} answers {status} and is not Critter: look at the proxy")
    return f"{url.netloc} leads to us"
