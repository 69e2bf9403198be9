"""How a command is described: the one wording that help by text, the web's help and docs/commands.md all show."""

from collections.abc import Iterator, Mapping

from gateway.language.phrases import Phrase, joined, say
from gateway.language.verbs import Verb


def described(verb: Verb) -> Phrase:
    """What it does."""
    return say(verb.about)


def about(verb: Verb) -> Phrase:
    """All of one command."""
    forms = say("{form}: {about}.", form=joined(verb.usages, ", "), about=described(verb))
    others = say("Also: {words}.", words=", ".join(verb.aliases)) if verb.aliases else ""
    return joined([forms, others, "" if verb.ready else say("Not available yet.")])


def line(verb: Verb) -> Phrase:
    """One line of it, in a list of all."""
    return say("{form}: {about}", form=verb.form(), about=described(verb))


def ready(verbs: Mapping[str, Verb]) -> Iterator[Verb]:
    """The commands that are there, in the order they were declared."""
    return (verb for verb in dict.fromkeys(verbs.values()) if verb.ready)
