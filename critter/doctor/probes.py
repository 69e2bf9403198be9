"""Checks the outside world for `critter check` and for processes that start: Twilio, the relay, our own address.

Each check sends nothing that costs, returns what is fine, and raises Refused with the setting and the fix.
"""

import asyncio
import base64
import http.client
import json
import socket
import ssl
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from gateway.carriers.operator_advice import advice
from gateway.carriers.smtp import provider_profiles
from gateway.carriers.smtp.handshake import open_link, place_of
from gateway.errors import CarrierError, Refused, SettingsError
from gateway.settings import Settings

TIMEOUT: Final = 10.0  # seconds
MOST: Final = 4 * 1024 * 1024  # octets of an answer
Answer = tuple[int, dict[str, Any] | None]  # status; the body when it is a JSON object


def twilio(settings: Settings) -> str:
    """Lists one message: that needs the account, the token and the network."""
    status, body = _ask(settings, "Messages", {"PageSize": 1})
    _refuse_bad(settings, status, body)
    if body is None or "messages" not in body:
        raise Refused(f"{_base(settings).netloc} is not Twilio's API: look at TWILIO_API_BASE")
    return f"{_base(settings).netloc} takes our account"


def numbers(settings: Settings) -> str:
    """Checks that the numbers are ours and can send. Short codes and what a Messaging Service holds are in other
    lists."""
    mine = [number for number in settings.numbers_with("twilio") if number.startswith("+")]
    status, body = _ask(settings, "IncomingPhoneNumbers", {"PageSize": 1000})
    _refuse_bad(settings, status, body)
    rows = body.get("incoming_phone_numbers") if body else None
    if not isinstance(rows, list):
        raise Refused(f"{_base(settings).netloc} does not list our numbers: look at TWILIO_API_BASE")
    there = {str(row.get("phone_number")): row for row in rows if isinstance(row, dict)}
    for place, number in enumerate(mine, 1):
        if number not in there:
            raise Refused(
                f"CRITTER_SMS_NUMBERS: {_called(place, number)} does not belong to this account: "
                "look at the numbers in Twilio's console and at TWILIO_ACCOUNT_SID"
            )
        can = there[number].get("capabilities")
        if isinstance(can, dict) and can.get("sms") is False:
            raise Refused(f"CRITTER_SMS_NUMBERS: {_called(place, number)} cannot send texts: take one with SMS")
    return "it belongs to our account" if len(mine) == 1 else f"all {len(mine)} belong to our account"


def relay(settings: Settings) -> str:
    """Says EHLO, starts TLS and signs in as sending does, and sends nothing."""
    host = urlsplit(settings.smtp_relay).hostname or ""
    try:
        how = asyncio.run(_greeted(settings))
    except SettingsError as wrong:
        raise Refused(str(wrong)) from None
    except CarrierError as problem:
        raise Refused(_unserved(host, problem.reason)) from None
    return f"{host} takes our mail ({how})"


async def _greeted(settings: Settings) -> str:
    """The result: TLS, login, and the name we said."""
    oauth, place = provider_profiles.oauth(settings), place_of(settings.smtp_relay)
    try:
        hello, context = provider_profiles.provider_terms(settings).hello, provider_profiles.context(settings)
        link = await open_link(place, hello, TIMEOUT, context, oauth)
        secure = link.transport.get_extra_info("ssl_object")
        link.quit()
        await asyncio.sleep(0)  # lets the QUIT out
        login = "by a token" if oauth else "by a password" if place.user else "no login"
        return f"{secure.version() if secure else 'no TLS'}, {login}, EHLO {hello}"
    finally:
        if oauth:
            await oauth.tokens.close()


def _unserved(host: str, reason: str) -> str:
    if reason == "535":
        return f"{host} refuses our user or password: look at CRITTER_SMTP_RELAY"
    return f"{host} does not serve us ({reason}): {advice(reason) or 'look at CRITTER_SMTP_RELAY'}"


def web_address(settings: Settings) -> str:
    """Asks our own public address for its health, as an outside client would."""
    url = urlsplit(settings.public_url)
    try:
        status, body = _get(url, f"{url.path}/healthz", {})
    except socket.gaierror as error:
        raise Refused(f"CRITTER_PUBLIC_URL: the name {url.hostname} is not found ({error.strerror})") from None
    except ssl.SSLError as error:
        raise Refused(f"CRITTER_PUBLIC_URL: the certificate of {url.netloc} is not good ({error.reason})") from None
    except (OSError, http.client.HTTPException) as error:
        raise Refused(
            f"CRITTER_PUBLIC_URL: {url.netloc} does not answer ({_short(error)}): do critter web and the proxy run?"
        ) from None
    if status != HTTPStatus.OK or body.strip() != b"ok":
        raise Refused(f"CRITTER_PUBLIC_URL: {url.netloc} answers {status} and is not Critter: look at the proxy")
    return f"{url.netloc} leads to us"


def _ask(settings: Settings, what: str, query: dict[str, object]) -> Answer:
    base = _base(settings)
    login = base64.b64encode(f"{settings.twilio_account_sid}:{settings.twilio_auth_tokens[0]}".encode()).decode()
    path = f"{base.path}/2010-04-01/Accounts/{settings.twilio_account_sid}/{what}.json?{urlencode(query)}"
    try:
        status, body = _get(base, path, {"Authorization": f"Basic {login}"})
    except (OSError, http.client.HTTPException) as error:
        raise Refused(
            f"{base.netloc} does not answer ({_short(error)}): look at the network and TWILIO_API_BASE"
        ) from None
    return status, _object(body)


def _refuse_bad(settings: Settings, status: int, body: dict[str, Any] | None) -> None:
    host = _base(settings).netloc
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise Refused("the account is refused: look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")
    if status == HTTPStatus.NOT_FOUND and body is not None:
        raise Refused("there is no such account: look at TWILIO_ACCOUNT_SID")
    if status != HTTPStatus.OK and body is None:
        raise Refused(f"{host} answers {status} and is not Twilio's API: look at TWILIO_API_BASE")
    if status != HTTPStatus.OK:
        raise Refused(f"{host} answers {status}: look at the account in Twilio's console")


def _get(url: SplitResult, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=TIMEOUT)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(MOST)
    finally:
        connection.close()


def _base(settings: Settings) -> SplitResult:
    return urlsplit(settings.twilio_api_base)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _called(place: int, number: str) -> str:
    """Which of our numbers it is, without the number: this also goes to logs."""
    return f"the {place}. (it ends in {number[-2:]})"


def _short(error: Exception) -> str:
    """The reason, on one line."""
    return " ".join((str(error) or type(error).__name__).split())[:120]
