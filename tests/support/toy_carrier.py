"""A toy carrier for texts in one file: its settings, sending, door, receipts and check. tests/carriers/test_toy_carrier
registers it with one line, and nothing else in Critter knows it.

The other side takes `POST {TOY_URL}` with JSON, and calls us with the same secret in a header.
"""

import hmac
import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flask import Blueprint, Response, abort, request

from gateway.carriers.common.delivery_report import DeliveryReport
from gateway.carriers.common.http_check import open_connection
from gateway.carriers.common.http_client import HttpLink, explain_unanswered, send_each
from gateway.carriers.common.protocol import Outcome, Text
from gateway.carriers.common.send_gate import OPEN, Gate
from gateway.carriers.descriptors.descriptor import CarrierDescriptor, CarrierSettings, refuse_short
from gateway.channels import SMS
from gateway.doors.route_access import access
from gateway.errors import Refused
from gateway.ledger.commit.group_commit import CommitQueue
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox.callbacks import CallbackCall
from gateway.security.signed_tokens import Signer
from gateway.setting_types import values as value
from gateway.setting_types.fields import BaseUrl, Visible, env


class ToySettings(CarrierSettings):
    toy_url: BaseUrl = env("TOY_URL", default="")
    toy_secret: Visible = env("TOY_SECRET", default="", repr=False)


def _hosts(settings: ToySettings) -> Mapping[str, str]:
    return {"TOY_URL": value.host_of(settings.toy_url)}


def _refuse(settings: ToySettings) -> None:
    if settings.mode == "live":
        refuse_short("TOY_SECRET", [settings.toy_secret])


class ToyTexts:
    channel = SMS

    def __init__(self, url: str, secret: str) -> None:
        self._link, self._secret = HttpLink(url, timeout=5), secret

    async def send(self, batch: Sequence[Text], settled: Callable[[Text, Outcome], None], gate: Gate = OPEN) -> None:
        await send_each(batch, 8, self._attempt, settled, lambda outcome: outcome.pause, gate)

    async def _attempt(self, text: Text) -> Outcome:
        fields = {"from": text.sender, "to": text.recipient, "text": text.body, "token": text.token}
        try:
            answer = await self._link.post({"Toy-Secret": self._secret}, json.dumps(fields).encode())
        except Exception as problem:  # noqa: BLE001  # aiohttp raises many kinds
            return explain_unanswered(problem)
        if answer.status == 401:
            return Outcome("retry", reason="401", pause=True)
        return Outcome("sent", carrier_id=answer.text) if answer.status == 200 else Outcome("unknown", reason="500")

    async def close(self) -> None:
        await self._link.close()


def make(settings: ToySettings) -> ToyTexts:
    return ToyTexts(settings.toy_url, settings.toy_secret)


def read_report(status: str, reason: str | None) -> DeliveryReport | None:
    known = {"arrived": DeliveryReport("delivered", 3), "lost": DeliveryReport("failed", 3, reason=reason or "lost")}
    return known.get(status)


def open_door(
    settings: Any, signer: Signer, intake: CommitQueue[Incoming], callbacks: CommitQueue[CallbackCall]
) -> Blueprint:
    door = Blueprint("toy", __name__)

    @door.post("/sms/toy/inbound")
    @access("token")
    def inbound() -> Response:
        fields = _trusted(settings)
        if fields["to"] not in settings.numbers_with("toy"):
            abort(403)
        name = b"toy\0" + fields["id"].encode()
        incoming = Incoming(SMS, name, fields["from"], (fields["to"],), request.get_data(), True, text=fields["text"])
        intake.submit(incoming).result(10)
        return Response(status=204)

    @door.post("/sms/toy/status/<token>")
    @access("token")
    def status(token: str) -> Response:
        fields, attempt = _trusted(settings), signer.read("status", token) or abort(403)
        callbacks.submit(CallbackCall(attempt[0], fields["id"], fields["status"], None, carrier="toy")).result(10)
        return Response(status=204)

    return door


def _trusted(settings: ToySettings) -> dict[str, str]:
    if not hmac.compare_digest(request.headers.get("Toy-Secret", ""), settings.toy_secret):
        abort(403)
    fields: dict[str, str] = request.get_json()
    return fields


def check(settings: ToySettings) -> str:
    connection = open_connection(settings.toy_url)
    try:
        connection.connect()
    except (OSError, http.client.HTTPException):
        raise Refused("the toy does not answer: look at TOY_URL") from None
    finally:
        connection.close()
    return "the toy listens"


TOY: Final = CarrierDescriptor(
    name="toy",
    channel=SMS,
    settings=ToySettings,
    needed=("TOY_URL", "TOY_SECRET"),
    make="tests.support.toy_carrier:make",
    checks={"toy": "tests.support.toy_carrier:check"},
    report="tests.support.toy_carrier:read_report",
    door="tests.support.toy_carrier:open_door",
    hosts=_hosts,
    refuse=_refuse,
    advice={"401": "look at TOY_SECRET"},
)
