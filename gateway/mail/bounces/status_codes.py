"""Why a mail came back, in plain words, by its RFC 3463 code. `who got`, traces and warnings show them.

The class (4 temporary, 5 permanent) does not change the words; subject and detail do. An entry for a whole code takes
precedence over one for its subject: "1.10" is Exchange's code for 1.1.
"""

import re
from collections.abc import Mapping
from typing import Final

from gateway.i18n.phrases import Phrase, say

UNREAD: Final = "bounced"  # the reason of a delivery that came back without a code
CODE: Final = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})")

_NOBODY: Final = say("no such mailbox")
_NO_DOMAIN: Final = say("no such mail domain")
_MOVED: Final = say("the mailbox has moved")
_DISABLED: Final = say("the mailbox is switched off")
_FULL: Final = say("the mailbox is full")
_TOO_LARGE: Final = say("the mail was too large for them")
_SERVER_FULL: Final = say("their mail server had no room")
_SERVER_AWAY: Final = say("their mail server did not answer")
_LOOPING: Final = say("their mail server sends the mail in a circle")
_CONTENT: Final = say("their mail server cannot read the mail")
_POLICY: Final = say("their mail server refuses mail like ours")
_UNPROVED: Final = say("their mail server doubts that the mail is ours")
_CAME_BACK: Final = say("the mail came back")

# https://www.iana.org/assignments/smtp-enhanced-status-codes, and what Exchange Online adds (5.1.10, 5.4.1, 5.7.1xx).
WORDS: Final[Mapping[str, Phrase]] = {
    "1.2": _NO_DOMAIN,
    "1.6": _MOVED,
    "1.7": _POLICY,
    "1.8": _POLICY,
    "1.9": _POLICY,
    "1.10": _NOBODY,
    "2.2": _FULL,
    "2.3": _TOO_LARGE,
    "2.4": _MOVED,
    "3.1": _SERVER_FULL,
    "3.4": _TOO_LARGE,
    "4.6": _LOOPING,
    "4.14": _LOOPING,
    "7.20": _UNPROVED,
    "7.21": _UNPROVED,
    "7.22": _UNPROVED,
    "7.23": _UNPROVED,
    "7.24": _UNPROVED,
    "7.25": _UNPROVED,
    "7.26": _UNPROVED,
    "7.27": _NO_DOMAIN,
    "7.29": _UNPROVED,
}
SUBJECTS: Final[Mapping[str, Phrase]] = {
    "1": _NOBODY,
    "2": _DISABLED,
    "3": _SERVER_AWAY,
    "4": _SERVER_AWAY,
    "5": _SERVER_AWAY,
    "6": _CONTENT,
    "7": _POLICY,
}


def describe_status(code: str) -> Phrase | None:
    """The words for a code, to put after a name: "no such mailbox". None for what is neither a code nor UNREAD."""
    if code == UNREAD:
        return _CAME_BACK
    match = CODE.fullmatch(code)
    if match is None:
        return None
    return WORDS.get(f"{match[1]}.{match[2]}") or SUBJECTS.get(match[1], _CAME_BACK)
