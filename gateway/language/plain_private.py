"""Private in plain words: "message bob …", "private rosa: …", "tell bob privately …". grammar.py asks here after `d`.

Nobody promised such words a meaning, so they are never sent by themselves: they are kept, and their writer is asked."""

import re
from dataclasses import replace
from typing import Final

from gateway.language.named import Reading, Resolver
from gateway.language.phrases import say
from gateway.language.private import addressed_to, hold, is_known, private_reading
from gateway.language.wording import first_token, folded

# Before a name each of these says that the rest is for them.
_SAYING = r"""
(?:please\ |pls\ )?(?:
  (?:send\ )?(?:a\ |an\ )?(?:private\ |direct\ |personal\ |secret\ )?(?:message|text|sms|dm|pm|note)(?:\ (?:to|for))?
| send(?=\ \S+\ (?:a|an)\ (?:private\ |direct\ )?(?:message|text|dm|note)\b) | whisper(?:\ to)?
| (?:private|privately|secret|confidential|personal|direct|in\ private|off\ the\ record)
    (?:\ (?:message|text|note))?[:,]?(?:\ (?:to|for|with))?
| (?:for|to)(?=\ \S+\ (?:only|alone)\b) | only\ (?:for|to) | just\ (?:for|to) | between\ (?:us|you\ and\ me),?
| tell(?=\ \S+(?:\ \S+)?\ (?:privately|in\ private|in\ confidence|secretly|quietly|only|alone)\b) | tell(?=\ \S+:)
| (?:un\ )?(?:mensaje|texto)(?:\ privado|\ directo)?(?:\ (?:a|para))? | (?:en\ )?privado(?:\ (?:a|para|con))?
| (?:solo|sólo)\ para | dile\ a(?=\ \S+\ (?:en\ privado|a\ solas)\b)
| (?:private\ |persönliche\ )?nachricht(?:\ an)? | privat(?:\ an)? | nur\ für
| (?:un\ )?message(?:\ privé)?(?:\ (?:à|pour))? | (?:en\ )?privé(?:\ (?:à|pour))?
)[:,]?\ """
_BEFORE: Final = re.compile(_SAYING.replace("\n", ""), re.VERBOSE)
_LONGEST = 60
_FIRST_WORDS = """
please pls send a an private direct personal secret message text sms dm pm note whisper privately confidential in off
for to only just between tell un mensaje texto en privado solo sólo dile nachricht private persönliche privat nur
message privé
"""
_FIRST: Final = frozenset(_FIRST_WORDS.split())
_HOW: Final = re.compile(
    r"^(?:privately|in private|in confidence|secretly|quietly|only|alone|en privado|a solas"
    r"|an? (?:private |direct )?(?:message|text|dm|note))\b[:,]?\s*(?:that )?",
    re.IGNORECASE,
)


def plainly_private(text: str, resolver: Resolver) -> Reading | None:
    """The question about a cleaned text that says in plain words that it is for somebody; else None."""
    if folded(first_token(text[:_LONGEST])[0]).strip(":,") not in _FIRST:
        return None
    said = " ".join(folded(text[:_LONGEST]).split(" "))
    match = _BEFORE.match(said)
    if match is None or match.end() >= len(text):
        return None
    rest = text[match.end() :].lstrip()
    name, body = first_token(rest)
    if not body or not is_known(name, resolver):
        return None
    addressed = addressed_to(rest, resolver)
    bare = replace(addressed, written=addressed.written.strip(":"), body=_HOW.sub("", addressed.body) or addressed.body)
    words = f"{text[: match.end()].strip()} {name}"[:40].rstrip(" :,")
    return hold(text, bare, say('"{words}" looks private', words=words))


def looks_private(text: str, resolver: Resolver) -> bool:
    """Whether a text typed on the web or sent by the API looks as if it was meant for a few."""
    return (private_reading(text, resolver) or plainly_private(text, resolver)) is not None
