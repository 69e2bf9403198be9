"""How a command is described: the one wording that help by text, the web's help and docs/commands.md all show."""

from collections.abc import Iterator, Mapping

from gateway.language.phrases import Phrase, joined, say
from gateway.language.verbs import Verb


def described(verb: Verb) -> Phrase:
    """What it does."""
    return say(verb.about)


def about(verb: Verb, language: str = "") -> Phrase:
    """All of one command, with the words that a person of this language may say instead."""
    forms = say("{form}: {about}.", form=joined(verb.usages, ", "), about=described(verb))
    others = say("Also: {words}.", words=", ".join(verb.aliases)) if verb.aliases else ""
    abroad = verb.abroad.get(language.partition("-")[0], ())
    in_their_own = say("In your language: {words}.", words=", ".join(list(abroad)[:2])) if abroad else ""
    return joined([forms, others, in_their_own, "" if verb.ready else say("Not here yet.")])


def line(verb: Verb) -> Phrase:
    """One line of it, in a list of all."""
    return say("{form}: {about}", form=verb.form(), about=described(verb))


def ready(verbs: Mapping[str, Verb]) -> Iterator[Verb]:
    """The commands that are there, in the order they were declared."""
    return (verb for verb in dict.fromkeys(verbs.values()) if verb.ready)
