"""How a text is asked to confirm what an action needs a yes for: what it costs, who would read it, what it ends."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from gateway.actions.model.confirmation import ConfirmationRequired
from gateway.actions.reach_estimate import ReachEstimate
from gateway.i18n.phrases import Phrase, count, joined, listed, say
from gateway.inbound.commands import CommandContext, QuestionRequired, confirms
from gateway.language.model.reading import NamedAccount
from gateway.network.audience.private_repeats import Repeated
from handlers.follows import local
from handlers.pausing import OFF
from handlers.preview_words import describe_waits

SHOWN = 3  # names in an answer


@confirms("reach")
def _ask_reach(session: Session, context: CommandContext, needed: ConfirmationRequired) -> QuestionRequired:
    reach: ReachEstimate = needed.facts["reach"]
    waits = describe_waits(context, reach) if reach.parts_left is None else ""  # one text has no room for both
    asked = joined([describe_reach(reach), waits, say("Reply OK to send it, DROP to delete it.")])
    return QuestionRequired(asked, needed.gives)


def describe_reach(reach: ReachEstimate) -> Phrase:
    phones = count("{count} phone", "{count} phones", reach.phones)
    about = count("about {count} phone", "about {count} phones", reach.phones)
    cost = say(
        "This goes to {phones}: {parts}, {price}, {minutes}.",
        phones=phones if reach.phones_exact else about,
        parts=count("about {count} part", "about {count} parts", reach.parts),
        price=reach.cost,
        minutes=count("{count} minute", "{count} minutes", reach.minutes),
    )
    if reach.parts_left is None:
        return cost
    short = count(
        "The budget has {count} part left, so not everybody gets it.",
        "The budget has {count} parts left, so not everybody gets it.",
        reach.parts_left,
    )
    return joined([cost, short])


@confirms("repeat")
def _ask_repeat(session: Session, context: CommandContext, needed: ConfirmationRequired) -> QuestionRequired:
    whose = _whose(needed.facts["repeated"])
    if needed.facts["private"]:
        question, words = say("Not sent yet. Reply OK to send it, DROP to delete it."), ("OK", "DROP")
    else:
        question, words = say("Not posted yet. Reply POST to tell everyone, DROP to delete it."), ("POST", "DROP")
    return QuestionRequired(joined([whose, question]), needed.gives, words=words)


def _whose(repeated: Repeated) -> Phrase:
    if repeated.own and repeated.reader:
        return say("This repeats what you told {name} privately.", name=repeated.reader)
    if repeated.group and repeated.own:
        return say("This repeats what you wrote in {group}, which is closed.", group=repeated.group)
    if repeated.group:
        name = repeated.author
        return say("This repeats what {name} wrote in {group}, which is closed.", name=name, group=repeated.group)
    return say("This repeats what {name} told you privately.", name=repeated.author)


@confirms("end")
def _ask_end(session: Session, context: CommandContext, needed: ConfirmationRequired) -> QuestionRequired:
    """A follow, a mute or an `off` without an end is not shortened unasked."""
    asked = say(
        "{stands} End that on {time}? Reply OK to end it then, DROP to leave it as it is.",
        stands=_standing(needed.facts["standing"], needed.facts["name"]),
        time=local(context, needed.facts["until"]),
    )
    return QuestionRequired(asked, needed.gives)


def _standing(standing: str, name: str) -> Phrase:
    match standing:
        case "follow":
            return say("You follow {name} with no end.", name=name)
        case "mute":
            return say("{name} is muted with no end.", name=name)
        case "source":
            return say("{name} is off.", name=name)
    return OFF[standing]


def describe_recipients(names: Sequence[NamedAccount], people: Sequence[int]) -> Phrase:
    """Kim Lee, ACME (14 people) and 2 more."""
    shown: list[str] = [_counted(*pair) for pair in zip(names[:SHOWN], people, strict=False)]
    if len(names) > SHOWN:
        shown.append(count("{count} more", "{count} more", len(names) - SHOWN))
    return listed(shown)


def _counted(named: NamedAccount, number: int) -> str:
    if named.kind == "person":
        return named.name
    return say("{name} ({people})", name=named.name, people=describe_people(number))


def describe_people(number: int) -> Phrase:
    return count("{count} person", "{count} people", number)
