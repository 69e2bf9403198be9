"""Sends pushes: one delivery goes to all devices of its reader, each through its own push service."""

from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import InvalidURL

from gateway.carriers.common.http_client import HttpLink, explain_unanswered, send_each
from gateway.carriers.common.protocol import OutboundPush, Outcome
from gateway.carriers.common.public_resolver import PublicResolver
from gateway.carriers.common.send_gate import OPEN, Gate
from gateway.carriers.webpush import payload
from gateway.carriers.webpush.codes import combine, read_answer
from gateway.carriers.webpush.encryption import encrypt
from gateway.carriers.webpush.vapid import VapidSigner
from gateway.channels import PUSH
from gateway.errors import CarrierError
from gateway.network.push import push_endpoints
from gateway.network.push.push_subscriptions import PushDevice
from gateway.settings import Settings

AT_ONCE: Final = 32  # people
TIMEOUT: Final = 10.0  # seconds for one device


class WebPush:
    """One per process; it belongs to the loop that first uses it."""

    channel = PUSH

    def __init__(self, settings: Settings, timeout: float = TIMEOUT) -> None:
        self._settings = settings
        self._signer = VapidSigner(settings)
        self._link = HttpLink("", timeout, resolver=lambda: PublicResolver(self._trusts))

    async def send(
        self, batch: Sequence[OutboundPush], settled: Callable[[OutboundPush, Outcome], None], gate: Gate = OPEN
    ) -> None:
        await send_each(batch, AT_ONCE, self._attempt, settled, _blames_nobody, gate)

    async def _attempt(self, push: OutboundPush) -> Outcome:
        """One device after the other, so that the gate is asked before each."""
        body = payload.for_page(push.note)
        return combine({device.id: await self._send_to(device, push, body) for device in push.devices})

    async def _send_to(self, device: PushDevice, push: OutboundPush, body: bytes) -> Outcome:
        if not push_endpoints.is_allowed(self._settings, device.keys.endpoint):
            return Outcome("failed", reason="forbidden", detail="not a push service that we may ask")
        try:
            how, sealed = encrypt(body, device.keys)
            headers = {**self._headers(device, push), **how}
            return read_answer(await self._link.post(headers, sealed, device.keys.endpoint))
        except (CarrierError, InvalidURL) as problem:
            return Outcome("failed", reason="forbidden", detail=type(problem).__name__)
        except Exception as problem:  # noqa: BLE001  # aiohttp raises many kinds; none may end the batch
            return explain_unanswered(problem)

    def _headers(self, device: PushDevice, push: OutboundPush) -> dict[str, str]:
        """`Topic`: of what the device has not fetched yet, a repeat takes the place of the first (RFC 8030, 5.4)."""
        return {
            "Authorization": self._signer.sign(device.keys.endpoint),
            "TTL": str(push.ttl),
            "Urgency": push.urgency,
            "Topic": push.topic,
        }

    def _trusts(self, host: str) -> bool:
        return push_endpoints.trusts(self._settings, host)

    async def close(self) -> None:
        await self._link.close()


def make(settings: Settings) -> WebPush:
    return WebPush(settings)


def _blames_nobody(_outcome: Outcome) -> bool:
    """Each device has a push service of its own: what one refuses says nothing about the next."""
    return False
