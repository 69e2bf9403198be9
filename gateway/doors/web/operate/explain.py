"""Explain: how words would be read, by whom and by what they come, and why. Nothing is sent or kept. What would be
answered to somebody else is not shown here: it may have words in it that are for them alone."""

from typing import Final

from gateway.channels import SMS
from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import show
from gateway.doors.web.visits.operator_tools import ExplainedWords
from gateway.doors.web.visits.visit import Visit
from gateway.errors import Refused
from gateway.i18n.phrases import say

LONGEST: Final = 2_000  # characters
SAMPLES: Final = ("is anybody at the gate", "r yes", "stop by my desk")
NAMELESS: Final = ("reply", "reaction")  # whom these are for comes from what the writer heard last


@ROUTER.page("/operate/explain", "operator")
def explain_form(visit: Visit) -> str:
    """`?sample=`: one of ours, for a link; words of people stand in no address."""
    sample = visit.arg("sample", 40)
    return _page(visit, sample if sample in SAMPLES else "", visit.account.handle, SMS)


@ROUTER.post("/operate/explain", "operator")
def explain_words(visit: Visit) -> str:
    """The answer is the page with the explanation: nothing was done, so there is nowhere else to go."""
    text, channel = visit.form("text", LONGEST), visit.form("channel", 10)
    handle = visit.form("as", 30).lstrip("@").lower() or visit.account.handle
    if not text:
        raise Refused(say("Write the words that are to be explained."))
    if visit.web.tools is None:
        raise Refused(say("Nothing explains words here."))
    found = visit.web.tools.explain(visit.web.engine, text, channel, handle)
    return _page(visit, text, found.handle, channel, found)


def _named(found: ExplainedWords, text: str, *, own: bool) -> list[str]:
    """For somebody else only the names that were typed: others come from what that person was asked or told."""
    words = text.lower()
    return [name for name in found.names if own or any(part in words for part in name.lower().split())]


def _page(visit: Visit, text: str, handle: str, channel: str, found: ExplainedWords | None = None) -> str:
    own = found is None or found.handle == visit.account.handle
    quotes = found is not None and found.intent in NAMELESS and not own
    return show(
        visit, "explain.html", text=text, as_whom=handle, channel=channel, found=found, own=own, quotes=quotes,
        samples=SAMPLES, names=_named(found, text, own=own) if found else [],
    )  # fmt: skip
