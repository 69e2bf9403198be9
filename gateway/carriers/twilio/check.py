"""The checks of `critter check` for Twilio: the account, and our numbers. They send nothing that costs."""

import base64
import http.client
import json
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from gateway.carriers.common.http_check import get, shorten
from gateway.errors import Refused
from gateway.settings import Settings

Answer = tuple[int, dict[str, Any] | None]  # status; the body when it is a JSON object


def account(settings: Settings) -> str:
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


def _ask(settings: Settings, what: str, query: dict[str, object]) -> Answer:
    base = _base(settings)
    login = base64.b64encode(f"{settings.twilio_account_sid}:{settings.twilio_auth_tokens[0]}".encode()).decode()
    path = f"{base.path}/2010-04-01/Accounts/{settings.twilio_account_sid}/{what}.json?{urlencode(query)}"
    try:
        status, body = get(settings.twilio_api_base, path, {"Authorization": f"Basic {login}"})
    except (OSError, http.client.HTTPException) as error:
        raise Refused(
            f"{base.netloc} does not answer ({shorten(error)}): look at the network and TWILIO_API_BASE"
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
