"""Sends texts through Twilio, and reads Twilio's own list of them; workers/deliver sends with it, workers/reconcile
lists.

It uses Twilio's client library. An answer that leaves open whether the text was taken is `unknown`, never `retry`:
creating a message has no idempotency key, so trying again could send it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Final

from twilio.base import values
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance, MessageList, MessagePage

from gateway.carriers.common.http_client import explain_unanswered, is_unicode, send_each
from gateway.carriers.common.protocol import ListedMessage, Outcome, PricePage, Text
from gateway.carriers.common.send_gate import OPEN, Gate
from gateway.carriers.twilio.http import BoundedHttpClient
from gateway.carriers.twilio.prices import price_page
from gateway.carriers.twilio.responses import blames_account, is_sid, page_lost_error, read_answer
from gateway.settings import Settings

PAGE_SIZE: Final = 500
PRICES_SIZE: Final = 1000  # the largest page that Twilio gives
MOST_PAGES: Final = 1000
LISTS: Final = 16  # pages that are read at once
TRIAL: Final = "Sent from your Twilio trial account - "  # what Twilio writes before the texts of an account on trial


class TwilioSms:
    """The carrier for texts. One per process; it belongs to the loop that first uses it."""

    channel = "sms"

    def __init__(
        self, account_sid: str, auth_token: str, api_base: str, timeout: float = 10.0, connections: int = 64
    ) -> None:
        self._http = BoundedHttpClient(api_base, timeout, connections=0)
        self._lists = BoundedHttpClient(api_base, timeout, LISTS)  # a second client: no text waits behind a list
        self._connections = connections
        self._client = client(account_sid, auth_token, api_base, self._http)
        reader = client(account_sid, auth_token, api_base, self._lists)
        self._messages: MessageList = reader.api.v2010.account.messages
        self._create = self._client.api.absolute_url(f"2010-04-01/Accounts/{account_sid}/Messages.json")

    async def send(self, batch: Sequence[Text], settled: Callable[[Text, Outcome], None], gate: Gate = OPEN) -> None:
        """Sends all texts, at most `connections` of a batch at a time, and calls `settled` for each as it ends."""
        await send_each(batch, self._connections, self._attempt, settled, blames_account, gate)

    async def _attempt(self, text: Text) -> Outcome:
        if not is_unicode(text.body):
            return Outcome("failed", reason="content", detail="not Unicode text")
        try:
            answer = await self._client.request_async("POST", self._create, data=_form(text))
            return read_answer(answer.status_code, answer.text)
        except Exception as problem:  # noqa: BLE001  # the library and aiohttp raise many kinds; none may end the batch
            return explain_unanswered(problem)

    async def listing(self, recipient: str | None, sender: str | None, since: datetime) -> list[ListedMessage]:
        """Returns every message to and from these numbers since then, and those that have no time yet.

        Raises CarrierError when any page fails: an incomplete list must never prove that a text is absent.
        """
        floor = since.replace(microsecond=0)  # Twilio's times are whole seconds
        try:
            found = [_listed(message) for message in await self._everything(recipient, sender, since)]
        except Exception as problem:  # noqa: BLE001  # as above, and a broken page adds kinds of its own
            raise page_lost_error(problem) from None
        return [each for each in found if each.sent_at is None or each.sent_at >= floor]

    async def _everything(self, recipient: str | None, sender: str | None, since: datetime) -> list[MessageInstance]:
        page: MessagePage | None = await self._messages.page_async(
            to=recipient or values.unset,
            from_=sender or values.unset,
            date_sent_after=since.astimezone(UTC).date().isoformat(),  # the filter knows days only
            page_size=PAGE_SIZE,
        )
        found: list[MessageInstance] = []
        for _ in range(MOST_PAGES):
            if page is None:
                return found
            found += page
            page = await page.next_page_async()
        raise ValueError("the list does not end")

    async def prices(self, day: date, page: str | None) -> PricePage:
        """Returns one page of what the texts of a UTC day cost; Twilio knows it some time after a text was sent."""
        number, token = page.split(" ", 1) if page else ("", "")
        try:
            found: MessagePage = await self._messages.page_async(
                date_sent=day.isoformat(),
                page_size=PRICES_SIZE,
                page_number=number or values.unset,
                page_token=token or values.unset,
            )
            return price_page(found, found.next_page_url)
        except Exception as problem:  # noqa: BLE001  # as in listing
            raise page_lost_error(problem) from None

    async def close(self) -> None:
        await self._http.close()
        await self._lists.close()


def make(settings: Settings) -> TwilioSms:
    return TwilioSms(settings.twilio_account_sid, settings.twilio_auth_tokens[0], settings.twilio_api_base)


def _form(text: Text) -> dict[str, object]:
    """Returns the form with Twilio's field names. The library's raw request is used: `messages.create_async` would take
    half as long again."""
    sender = "MessagingServiceSid" if text.sender.startswith("MG") else "From"
    return {
        "To": text.recipient,
        sender: text.sender,
        "Body": text.body,
        "StatusCallback": text.callback,
        "ValidityPeriod": text.validity,
    }


def client(account_sid: str, auth_token: str, api_base: str, http: BoundedHttpClient) -> Client:
    """Returns the library's client with our base URL. The environment given here keeps TWILIO_EDGE and TWILIO_REGION
    from rewriting it."""
    client = Client(account_sid, auth_token, http_client=http, environment={"TWILIO_REGION": ""})
    client.api.base_url = api_base.rstrip("/")
    return client


def _listed(message: MessageInstance) -> ListedMessage:
    """Converts one message. Raises TypeError when the list leaves out what identifies it, or gives values that cannot
    be stored."""
    if not is_sid(message.sid) or not isinstance(message.to, str) or not isinstance(message.body, str):
        raise TypeError("a message without sid, to or body")
    if not isinstance(message.date_sent, datetime | None):
        raise TypeError("a message with a strange time")
    return ListedMessage(
        carrier_id=message.sid,
        recipient=message.to,
        body=message.body.removeprefix(TRIAL),
        status=str(message.status),
        sent_at=message.date_sent,
        direction=str(message.direction),
        sender=message.from_ or message.messaging_service_sid or "",
    )
