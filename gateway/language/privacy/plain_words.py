"""Private texts in plain words: "message bob …", "private rosa: …", "tell bob privately …". grammar.py tries `d` first.

No help text gives such words a meaning, so nothing is sent at once: the text is kept, and its writer is asked."""

import re
from dataclasses import replace
from typing import Final

from gateway.i18n.phrases import say
from gateway.language.model.reading import Reading, Resolver
from gateway.language.privacy.private_messages import addressed_to, ask_further, hold, is_known, private_reading
from gateway.language.words.normalize import first_token, fold_case

# Each of these phrases before a name says that the rest is for that person.
_SAYING = r"""
(?:please\ |pls\ )?(?:
  (?:send\ )?(?:a\ |an\ )?(?:private\ |direct\ |personal\ |secret\ )?(?:message|text|sms|dm|pm|note)(?:\ (?:to|for))?
| send(?=\ \S+\ (?:a|an)\ (?:private\ |direct\ )?(?:message|text|dm|note)\b) | whisper(?:\ to)?
| (?:private|privately|secret|confidential|personal|direct|in\ private|off\ the\ record)
    (?:\ (?:message|text|note))?[:,]?(?:\ (?:to|for|with))?
| (?:for|to)(?=\ \S+\ (?:only|alone)\b) | only\ (?:for|to) | just\ (?:for|to) | between\ (?:us|you\ and\ me),?
| (?:tell|ask|let|inform|answer|write|reply)(?:\ to)?
    (?=\ \S+(?:\ \S+){0,4}\ [(-]*(?:privately|in\ private|in\ confidence|secretly|quietly|only|alone)\b)
| (?:tell|write|send|txt|ping|inbox)(?:\ (?:only|just))?(?:\ (?:this|it))?(?:\ to)?
    (?=\ [^\s:,]+(?:,?\ (?:and|&|\+|y)\ [^\s:,]+|,\ ?[^\s:,]+)*:)
| (?:privately|secretly)\ tell | txt
| [\[(*_]+(?:private|privately|confidential|secret)[\])*_]+ | (?:private|confidential)\ [-–—]
| (?:un\ )?(?:mensaje|texto)(?:\ privado|\ directo)?(?:\ (?:a|para))? | (?:en\ )?privado(?:\ (?:a|para|con))?
| (?:solo|sólo)\ para | (?:dile|d[ií]gale|avisa|escribe|manda)\ a(?=\ \S+(?:\ \S+){0,4}\ (?:en\ privado|a\ solas)\b)
| (?:private\ |persönliche\ )?nachricht(?:\ an)? | privat(?:\ an)? | nur\ für
| (?:un\ )?message(?:\ privé)?(?:\ (?:à|pour))? | (?:en\ )?privé(?:\ (?:à|pour))?
)[:,]?\ """
_BEFORE: Final = re.compile(_SAYING.replace("\n", ""), re.VERBOSE)
_LONGEST = 60
_FIRST_WORDS = """
please pls send a an private direct personal secret message text sms dm pm note whisper privately confidential in off
for to only just between tell un mensaje texto en privado solo sólo dile nachricht private persönliche privat nur
message privé ask let inform answer write reply txt ping inbox secretly dígale digale avisa escribe manda
"""
_FIRST: Final = frozenset(_FIRST_WORDS.split())


# "kim only: …", "@kim (private) …": the name first.
_BEHIND: Final = re.compile(
    r"[,:]?\s*[(\[*]?(?:just\s+)?(?:private|privately|in private|confidential|only|between us|en privado)[)\]*]?[:,]\s*"
    r"|\s*[(\[](?:private|privately|confidential|en privado)[)\]]\s*",
    re.IGNORECASE,
)
_HOW: Final = re.compile(
    r"^(?:privately|in private|in confidence|secretly|quietly|only|alone|en privado|a solas"
    r"|an? (?:private |direct )?(?:message|text|dm|note))\b[:,]?\s*(?:that )?",
    re.IGNORECASE,
)


def plainly_private(text: str, resolver: Resolver) -> Reading | None:
    """Asks about a cleaned text that says in plain words that it is for somebody; None for any other text."""
    if fold_case(first_token(text[:_LONGEST])[0]).strip(":,[]()*_") not in _FIRST:
        return _name_first(text, resolver)
    said = " ".join(fold_case(text[:_LONGEST]).split(" "))
    match = _BEFORE.match(said)
    if match is None or match.end() >= len(text):
        return _name_first(text, resolver)
    rest = text[match.end() :].lstrip()
    name, body = first_token(rest)
    if not body or not is_known(name, resolver):
        return None
    addressed = addressed_to(rest, resolver)
    bare = replace(addressed, written=addressed.written.strip(":"), body=_HOW.sub("", addressed.body) or addressed.body)
    if several := ask_further(text, bare, resolver):
        names, words = several.args
        return replace(several, args=(names, _HOW.sub("", words) or words))
    words = f"{text[: match.end()].strip()} {name}"[:40].rstrip(" :,")
    return hold(text, bare, say('"{words}" looks private', words=words))


_SAID_BEHIND: Final = ("privat", "only", "confidential", "privado", "between us")


def _name_first(text: str, resolver: Resolver) -> Reading | None:
    lower = text[:_LONGEST].lower()
    if not any(word in lower for word in _SAID_BEHIND):
        return None
    name, rest = first_token(text)
    mark = name[len(name.rstrip(",:")) :]
    match = _BEHIND.match(mark + " " + rest) if rest and is_known(name, resolver) else None
    body = (mark + " " + rest)[match.end() :] if match else ""
    if not body:
        return None
    addressed = replace(addressed_to(f"{name.rstrip(',:')} {body}", resolver), body=body)
    return hold(text, addressed, say('"{words}" looks private', words=f"{name} {rest}"[:40].rstrip(" :,")))


def looks_private(text: str, resolver: Resolver) -> bool:
    """Whether a text typed on the web or sent by the API looks as if it were meant for a few people."""
    return (private_reading(text, resolver) or plainly_private(text, resolver)) is not None
