"""Reads what Twilio posts to us; it is believed only when it is signed and has the right shape (R23-R27).
gateway/doors/sms/twilio calls it.

The signature covers no separators and no time (`A=BC` has the same signature as `AB=C`, and it never expires), so the
shape is checked as strictly as possible: fixed path, no query, one form, our own account, ids and numbers as Twilio
writes them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs

from flask import abort

from gateway.security.twilio_signature import Verifier
from gateway.settings import Settings

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 500


class HookHeaders(Protocol):
    def get(self, name: str, /) -> str | None: ...


class HookRequest(Protocol):
    """What is read of a request: Flask's, or that of hook_fast_path.py."""

    @property
    def mimetype(self) -> str: ...
    @property
    def environ(self) -> Mapping[str, Any]: ...
    @property
    def path(self) -> str: ...
    @property
    def query_string(self) -> str | bytes: ...
    @property
    def headers(self) -> HookHeaders: ...
    def get_data(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class TwilioRequest:
    """A form that Twilio signed, and its bytes."""

    fields: dict[str, list[str]]
    raw: bytes

    def get(self, name: str) -> str:
        """Returns the field's one value, empty when it is missing; aborts with 403 when the field is repeated."""
        values = self.fields.get(name, [""])
        return values[0] if len(values) == 1 else abort(403)

    def match(self, name: str, shape: re.Pattern[str]) -> str:
        value = self.get(name)
        return value if shape.fullmatch(value) else abort(403)


class TwilioRequestReader:
    """Reads requests for one account."""

    def __init__(self, settings: Settings, verifier: Verifier) -> None:
        self._account = settings.twilio_account_sid
        self._bases = [base for base in (settings.public_url, settings.fallback_url) if base]
        self._verifier = verifier

    def read(self, request: HookRequest) -> TwilioRequest:
        """Reads a request; aborts with 403 unless Twilio signed exactly this for the URL that we configured."""
        if request.mimetype != FORM or request.environ.get("RAW_URI", request.path) != request.path:
            abort(403)
        if request.query_string:
            abort(403)
        raw = request.get_data()
        hook = TwilioRequest(_fields(raw), raw)
        if not self._signed(request, hook) or hook.get("AccountSid") != self._account:
            abort(403)
        return hook

    def _signed(self, request: HookRequest, hook: TwilioRequest) -> bool:
        """Tells whether Twilio signed it. The URL never comes from Host or X-Forwarded-*: whoever writes those would
        choose what is verified."""
        signature = request.headers.get("x-twilio-signature")
        urls = [base + request.path for base in self._bases]
        return any(self._verifier.genuine(url, {**hook.fields}, signature) for url in urls)


def _fields(raw: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        abort(403)
