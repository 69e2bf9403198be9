"""How a page asks for what an action needs a yes to: what it costs, who would read it, what it ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.actions.reach_estimate import ReachEstimate
from gateway.actions.urgent_calls import UrgentReach
from gateway.attention.zones import zone
from gateway.i18n.phrases import Phrase, count, say
from gateway.network.audience.private_repeats import Repeated


@dataclass(frozen=True, slots=True)
class Instead:
    """Another button of the same form: fields with these values instead."""

    says: Phrase
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """`lines`: the first is what it is about; `yes`: what the button says; `instead`: what else may have been meant."""

    lines: tuple[Phrase, ...]
    yes: Phrase
    instead: tuple[Instead, ...] = ()


def word(kind: str, facts: Mapping[str, Any], timezone: str) -> Question:
    """The question for one kind of confirmation (actions/model/confirmation.py)."""
    return WORDS[kind](facts, timezone)


def describe_reach(reach: ReachEstimate) -> tuple[Phrase, ...]:
    """Phones, parts, money and minutes; who hears later; what the budgets have left."""
    phones = count("{count} phone", "{count} phones", reach.phones)
    first = say(
        "To {phones}, about {parts}, {price}, {minutes}.",
        phones=phones if reach.phones_exact else say("about {phones}", phones=phones),
        parts=count("{count} part", "{count} parts", reach.parts),
        price=reach.cost,
        minutes=count("{count} minute", "{count} minutes", reach.minutes),
    )
    lines = [first]
    if reach.later:
        lines.append(count("{count} is asleep and hears later.", "{count} are asleep and hear later.", reach.later))
    if reach.digest:
        lines.append(count("{count} gets it in a digest.", "{count} get it in a digest.", reach.digest))
    if reach.parts_left is not None:
        left = "The budget has {count} part left, so not everybody gets it as a text."
        lefts = "The budget has {count} parts left, so not everybody gets it as a text."
        lines.append(count(left, lefts, reach.parts_left))
    return tuple(lines)


def _reach(facts: Mapping[str, Any], timezone: str) -> Question:
    reach: ReachEstimate = facts["reach"]
    return Question(describe_reach(reach), count("Send to {count} phone", "Send to {count} phones", reach.phones))


def _repeat(facts: Mapping[str, Any], timezone: str) -> Question:
    whose = _whose(facts["repeated"])
    if facts["private"]:
        return Question((whose, say("Nothing was sent yet.")), say("Send it all the same"))
    return Question((whose, say("Nothing was posted yet.")), say("Post it as it stands"))


def _whose(repeated: Repeated) -> Phrase:
    if repeated.own and repeated.reader:
        return say("This repeats what you told {name} privately.", name=repeated.reader)
    if repeated.group and repeated.own:
        return say("This repeats what you wrote in {group}, which is closed.", group=repeated.group)
    if repeated.group:
        return say(
            "This repeats what {name} wrote in {group}, which is closed.", name=repeated.author, group=repeated.group
        )
    return say("This repeats what {name} told you privately.", name=repeated.author)


def _urgent(facts: Mapping[str, Any], timezone: str) -> Question:
    reach: UrgentReach = facts["reach"]
    whom = count(
        "Urgent to {count} person in #{group}.", "Urgent to {count} people in #{group}.", reach.people,
        group=facts["group"],
    )  # fmt: skip
    night = count("For {count} it is night.", "For {count} it is night.", reach.asleep) if reach.asleep else None
    cost = say(
        "About {parts}, {price}. Each is asked for an OK, at any hour.",
        parts=count("{count} part", "{count} parts", reach.parts), price=reach.cost,
    )  # fmt: skip
    lines = tuple(line for line in (whom, night, cost) if line)
    return Question(lines, count("Call {count} person", "Call {count} people", reach.people))


def _end(facts: Mapping[str, Any], timezone: str) -> Question:
    lines = (
        _standing(facts["standing"], facts["name"]),
        say("It would end {time}.", time=facts["until"].astimezone(zone(timezone))),
    )
    return Question(lines, say("End it then"))


def _standing(standing: str, name: str) -> Phrase:
    match standing:
        case "follow":
            return say("You follow {name} with no end.", name=name)
        case "mute":
            return say("{name} is muted with no end.", name=name)
        case "source":
            return say("{name} is off.", name=name)
    return say("This is off with no end.")


def _looks_private(facts: Mapping[str, Any], timezone: str) -> Question:
    instead = tuple(
        Instead(
            say("Send privately to {name}", name=named.name),
            (("audience", f"to:{named.id}"), ("text", facts["words"])),
        )
        for named in facts["names"][:SHOWN]
    )
    lines = say("Nothing was sent."), say("This begins like a private message.")
    return Question(lines, say("Post it as it stands"), instead)


def _wide(facts: Mapping[str, Any], timezone: str) -> Question:
    people = sum(facts["people"])
    whom = count("This goes privately to {count} person.", "This goes privately to {count} people.", people)
    lines = (whom, *(describe_reach(facts["reach"]) if facts["reach"] else ()))
    return Question(lines, count("Send privately to {count}", "Send privately to {count}", people))


def _new_group(facts: Mapping[str, Any], timezone: str) -> Question:
    return Question((say("Everyone will see the new group #{handle}.", handle=facts["handle"]),), say("Make the group"))


def _group_name(facts: Mapping[str, Any], timezone: str) -> Question:
    lines = (
        say("Everyone will see the group as {name}, #{handle}.", name=facts["name"], handle=facts["handle"]),
        *([say("Texts and mails to #{handle} still arrive.", handle=facts["was"])] * (facts["was"] != facts["handle"])),
    )
    return Question(lines, say("Take this name"))


def _name(facts: Mapping[str, Any], timezone: str) -> Question:
    return Question((say("Everyone will see you as {name}.", name=facts["name"]),), say("Take this name"))


def _remove_address(facts: Mapping[str, Any], timezone: str) -> Question:
    lines = (
        say("Take {address} away from you?", address=facts["address"]),
        say("Nothing goes there any more, and you cannot sign in with it. To have it back you add it anew."),
    )
    return Question(lines, say("Remove it"))


SHOWN: Final = 3  # names
WORDS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Question]]] = {
    "reach": _reach,
    "repeat": _repeat,
    "end": _end,
    "looks_private": _looks_private,
    "wide_message": _wide,
    "urgent_call": _urgent,
    "new_group": _new_group,
    "name": _name,
    "group_name": _group_name,
    "remove_address": _remove_address,
}
