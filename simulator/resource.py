"""A text as Twilio's REST API shows it (twilio.com/docs/messaging/api/message-resource), field for field."""

from email.utils import formatdate
from functools import lru_cache
from typing import Any

from simulator.messages import Message
from simulator.options import Options
from simulator.refusals import UNDELIVERED

VERSION = "2010-04-01"


def messages_path(options: Options) -> str:
    return f"/{VERSION}/Accounts/{options.account_sid}/Messages"


def resource(options: Options, message: Message) -> dict[str, Any]:
    uri = f"{messages_path(options)}/{message.sid}"
    charged = message.status in ("delivered", "undelivered", "received")
    failed = message.status in ("undelivered", "failed")
    return {
        "account_sid": options.account_sid,
        "api_version": VERSION,
        "body": message.body,
        "date_created": rfc2822(int(message.created)),
        "date_sent": rfc2822(int(message.sent)) if message.sent else None,
        "date_updated": rfc2822(int(message.updated)),
        "direction": message.direction,
        "error_code": message.error if failed else None,
        "error_message": UNDELIVERED.get(message.error or 0, "Unknown error") if failed else None,
        "from": message.sender,
        "messaging_service_sid": message.service,
        "num_media": str(len(message.media)),
        "num_segments": str(message.segments) if message.sender else "0",
        "price": f"-{options.price * message.segments:.5f}" if charged else None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.recipient,
        "uri": f"{uri}.json",
    }


@lru_cache(maxsize=256)
def rfc2822(second: int) -> str:
    return formatdate(second).replace("-0000", "+0000")
