"""What a post would do before it is sent, in words: for the price question, and for writers who want each confirmed."""

from gateway.actions.reach_estimate import ReachEstimate
from gateway.i18n.phrases import Phrase, count, joined, listed, say
from gateway.inbound.commands import CommandContext
from handlers.follows import local


def describe_preview(context: CommandContext, reach: ReachEstimate) -> Phrase:
    """43 people now, 12 in digests and 31 from Tue 07:00 on; 61 parts."""
    people = listed([_now(reach), *_others(context, reach)])
    if not reach.parts:
        return say("{people}.", people=people)
    parts = count("{count} part", "{count} parts", reach.parts)
    return say("{people}; {parts}.", people=people, parts=parts)


def describe_waits(context: CommandContext, reach: ReachEstimate) -> Phrase | str:
    """Those who do not get it at once; "" when everybody does."""
    others = _others(context, reach)
    return say("Not at once: {people}.", people=listed(others)) if others else ""


def _now(reach: ReachEstimate) -> Phrase:
    if reach.exact:
        return count("{count} person now", "{count} people now", reach.now)
    return count("about {count} person now", "about {count} people now", reach.now)


def _others(context: CommandContext, reach: ReachEstimate) -> list[Phrase]:
    found = []
    if reach.digest:
        found.append(count("{count} in a digest", "{count} in digests", reach.digest))
    if reach.later and reach.until:
        time = local(context, reach.until)
        found.append(count("{count} from {time} on", "{count} from {time} on", reach.later, time=time))
    if reach.web:
        found.append(count("{count} on the web", "{count} on the web", reach.web))
    if reach.nowhere:
        found.append(count("{count} not reached", "{count} not reached", reach.nowhere))
    return found


def describe_posted(context: CommandContext, reach: ReachEstimate) -> Phrase:
    to_undo = say("To take it back: UNDO")
    return joined([say("Posted: {preview}", preview=describe_preview(context, reach)), to_undo])
