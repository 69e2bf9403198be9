"""Reads Twilio's prices from its list of Messages: they are negative dollars as text, and missing until they are final.

gateway/carriers/twilio/sms calls it. Source: https://www.twilio.com/docs/messaging/api/message-resource (price,
price_unit).
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qs, urlsplit

from twilio.rest.api.v2010.account.message import MessageInstance

from gateway.carriers.common.protocol import PricePage

DEAREST = Decimal(100)  # dollars; no text costs more, so a higher price makes no sense


def price_page(messages: Iterable[MessageInstance], next_page_url: str | None) -> PricePage:
    """Returns the prices of outbound texts, and where the list continues: as "PAGE TOKEN" and not as a URL, so that no
    other host is ever asked."""
    prices: dict[str, Decimal] = {}
    skipped = 0
    for message in messages:
        if not isinstance(message.sid, str) or not str(message.direction).startswith("outbound"):
            continue
        if message.price is None:
            continue
        price = _dollars(message.price, message.price_unit)
        if price is None:
            skipped += 1
        else:
            prices[message.sid] = price
    return PricePage(prices, skipped, _place(next_page_url))


def _dollars(price: object, unit: object) -> Decimal | None:
    try:
        found = -Decimal(str(price))
    except InvalidOperation:
        return None
    return found if str(unit).upper() == "USD" and found.is_finite() and 0 <= found <= DEAREST else None


def _place(url: str | None) -> str | None:
    query = parse_qs(urlsplit(url or "").query)
    token = query.get("PageToken", [""])[0]
    return f"{query.get('Page', [''])[0]} {token}" if token else None
