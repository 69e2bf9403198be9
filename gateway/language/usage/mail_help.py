"""The help for people who have only mail: the addresses, and every command with what it does. handlers/help_command
sends it whole, because a mail has room for it."""

from collections.abc import Mapping
from typing import Final

from gateway.i18n.phrases import Phrase, joined, say
from gateway.language.usage import help_lines
from gateway.language.usage.verbs import Verb

NEEDLESS: Final = ("more",)  # nothing is cut in a mail


def whole_help(verbs: Mapping[str, Verb], domain: str) -> Phrase:
    """The help in paragraphs, with one command or address per line."""
    useful = (verb for verb in help_lines.each_once(verbs) if verb.name not in NEEDLESS)
    commands = joined([help_lines.line(verb) for verb in useful], "\n")
    return joined([_writing(domain), _addresses(domain), joined([say("Commands:"), commands], "\n"), _ending()], "\n\n")


def _writing(domain: str) -> Phrase:
    return say(
        "Mail {address} what you are doing, and everyone who follows you gets it. To give a "
        "command, send a mail with just that one line (a signature does no harm), or an empty "
        "mail with it as the subject. Reply to any mail to answer what is in it, as privately as "
        "it came.",
        address=f"post@{domain}",
    )


def _addresses(domain: str) -> Phrase:
    lines = (
        say("{address}: privately to Kim, or a post to the group sales", address=f"kim@, sales@{domain}"),
        say("{address}: join or leave, whatever the mail says", address="sales+join@, sales+leave@"),
        say("{address}: this help", address=f"help@{domain}"),
    )
    return joined([say("Addresses:"), *lines], "\n")


def _ending() -> Phrase:
    return say(
        "To stop all mails: OFF. To get them back: ON. For a break of two weeks: OFF 2W. To stop just one: LEAVE NAME"
    )
