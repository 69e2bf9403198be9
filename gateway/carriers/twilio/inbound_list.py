"""Twilio's list of the texts that came in, page by page; workers/missed_texts looks there for those that no web hook
brought.

The list is read without the library's objects: one entry that cannot be read must not hide the others of its page.
Source: https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

from twilio.http.response import Response
from twilio.rest import Client

from gateway.carriers.common.http_client import explain_unanswered
from gateway.carriers.twilio.http import BoundedHttpClient
from gateway.carriers.twilio.patterns import CONTENT_TYPE, MEDIA_SID, MESSAGE_SID, MOST_PICTURES, NUMBER
from gateway.carriers.twilio.responses import read_answer
from gateway.carriers.twilio.sms import client
from gateway.errors import CarrierError
from gateway.settings import Settings

# A page of the longest texts, all of it emoji written as \ud83d\udc4d, stays below PAGE_LIMIT in twilio/http.
PAGE_SIZE: Final = 200


@dataclass(frozen=True, slots=True)
class ListedText:
    """One text to us as the list shows it; `pictures`: how many files it has."""

    sid: str
    sender: str
    recipient: str
    body: str
    sent_at: datetime
    pictures: int
    entry: bytes  # the list's own JSON object


@dataclass(frozen=True, slots=True)
class ListPage:
    """The texts of one page, newest first. `broken`: how many entries could not be read; `next`: the path of the next
    page; `oldest`: when the oldest text that could be read was sent."""

    found: tuple[ListedText, ...]
    broken: int
    next: str | None

    @property
    def oldest(self) -> datetime | None:
        return min((one.sent_at for one in self.found), default=None)


class TwilioInbox:
    """Reads the list. It belongs to the loop that first uses it. Its methods raise CarrierError when no usable answer
    comes."""

    def __init__(self, account_sid: str, auth_token: str, api_base: str, timeout: float = 10.0) -> None:
        self._http = BoundedHttpClient(api_base, timeout, connections=8)
        self._client: Client = client(account_sid, auth_token, api_base, self._http)
        self._base = api_base.rstrip("/")
        self._messages = f"/2010-04-01/Accounts/{account_sid}/Messages"

    async def page(self, number: str, since: datetime, path: str | None = None) -> ListPage:
        """Returns the first page of what was sent to that number from that day on (Twilio filters by UTC days only), or
        the page at `path`, which another page named as its next."""
        day = since.astimezone(UTC).date().isoformat()
        query = urlencode({"To": number, "DateSent>": day, "PageSize": PAGE_SIZE})
        fields = await self._get(path or f"{self._messages}.json?{query}")
        entries, following = fields.get("messages"), fields.get("next_page_uri")
        if not isinstance(entries, list) or not isinstance(following, str | None):
            raise CarrierError("malformed", "transient")
        read = [_found(entry, number) for entry in entries]
        return ListPage(
            tuple(one for one in read if isinstance(one, ListedText)), read.count(BROKEN), following or None
        )

    async def pictures(self, sid: str) -> list[tuple[str, str | None]]:
        """Returns the files of one text: (URL, type as Twilio says) of each."""
        fields = await self._get(f"{self._messages}/{sid}/Media.json?PageSize={MOST_PICTURES}")
        listed = fields.get("media_list")
        if not isinstance(listed, list):
            raise CarrierError("malformed", "transient")
        return [self._picture(sid, entry) for entry in listed[:MOST_PICTURES]]

    def _picture(self, sid: str, entry: Any) -> tuple[str, str | None]:
        """Builds the file's URL from ids that were checked: nobody else decides what we fetch (R45)."""
        media, kind = (entry.get("sid"), entry.get("content_type")) if isinstance(entry, dict) else (None, None)
        if not isinstance(media, str) or not MEDIA_SID.fullmatch(media):
            raise CarrierError("malformed", "transient")
        known = isinstance(kind, str) and CONTENT_TYPE.fullmatch(kind)
        return f"{self._base}{self._messages}/{sid}/Media/{media}", kind if known else None

    async def _get(self, path: str) -> dict[str, Any]:
        try:
            answer: Response = await self._client.request_async("GET", self._base + path)
        except Exception as problem:  # noqa: BLE001  # the library and aiohttp raise many kinds
            raise CarrierError(explain_unanswered(problem).reason, "transient") from None
        if answer.status_code != 200:
            outcome = read_answer(answer.status_code, answer.text)
            lasting = outcome.pause or outcome.state == "failed"
            raise CarrierError(outcome.reason, "permanent" if lasting else "transient")
        try:
            fields = json.loads(answer.text)
        except (ValueError, RecursionError):
            raise CarrierError("malformed", "transient") from None
        if not isinstance(fields, dict):
            raise CarrierError("malformed", "transient")
        return fields

    async def close(self) -> None:
        await self._http.close()


def make(settings: Settings) -> TwilioInbox:
    return TwilioInbox(settings.twilio_account_sid, settings.twilio_auth_tokens[0], settings.twilio_api_base)


BROKEN: Final = "broken"  # an entry that may be a text to us, and cannot be read
FOREIGN: Final = "foreign"  # an entry that the door would not take either: sent by us, or not from a phone


def _found(entry: Any, number: str) -> ListedText | str:
    if not isinstance(entry, dict):
        return BROKEN
    if entry.get("direction") != "inbound":
        return FOREIGN if isinstance(entry.get("direction"), str) else BROKEN
    texts = [value for name in ("sid", "from", "to", "body") if isinstance(value := entry.get(name), str)]
    if len(texts) < 4 or not MESSAGE_SID.fullmatch(texts[0]):
        return BROKEN
    sid, sender, to, body = texts
    if to != number or not NUMBER.fullmatch(sender):
        return FOREIGN
    sent_at = _moment(entry.get("date_sent"))
    if sent_at is None:
        return BROKEN
    count = str(entry.get("num_media", "0"))
    pictures = min(int(count), MOST_PICTURES) if count.isascii() and count.isdigit() and len(count) < 4 else 0
    return ListedText(sid, sender, to, _clean(body), sent_at, pictures, json.dumps(entry).encode())


def _clean(body: str) -> str:
    """Cleans a body for PostgreSQL: its text type takes no NUL, and half of a surrogate pair is no character."""
    return body.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _moment(text: Any) -> datetime | None:
    """Reads a time in the form of RFC 2822, as Twilio writes it; None when it cannot be read."""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
