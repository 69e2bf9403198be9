"""Patterns of the ids, numbers and media types that Twilio sends; the SMS door and twilio/inbound_list check them."""

import re
from typing import Final

MESSAGE_SID: Final = re.compile(r"(SM|MM)[0-9a-f]{32}")
MEDIA_SID: Final = re.compile(r"ME[0-9a-f]{32}")
NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}")  # E.164, or a short code
CONTENT_TYPE: Final = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
MOST_PICTURES: Final = 10  # Twilio's own limit
