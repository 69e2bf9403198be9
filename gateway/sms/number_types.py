"""The type of our number that a person texted. Who answers STOP, START and HELP depends on it. Handlers ask.

Sources: Twilio's "Support for opt-out keywords (SMS STOP filtering)" for long codes, "Opt-out keyword handling (SMS
STOP Filtering) for Toll-Free SMS", and "Customizing HELP/STOP messages" for short codes (help.twilio.com); the
toll-free prefixes are those of the North American Numbering Plan.
"""

import re
from typing import Final, Literal

Kind = Literal["long", "toll-free", "short-code"]

TOLL_FREE: Final = re.compile(r"\+1(?:800|833|844|855|866|877|888)\d{7}")
SHORT_CODE: Final = re.compile(r"\d{3,8}")


def kind(number: str) -> Kind:
    """The type by the number alone. A Messaging Service counts as long: its OptOutType says what it has answered."""
    if TOLL_FREE.fullmatch(number):
        return "toll-free"
    return "short-code" if SHORT_CODE.fullmatch(number) else "long"
