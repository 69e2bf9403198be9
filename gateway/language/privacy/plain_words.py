"""Private texts in plain words: "message bob …", "private rosa: …", "tell bob privately …". grammar.py tries `d` first.

No help text gives such words a meaning, so nothing is sent at once: the text is kept, and its writer is asked."""

import re
from dataclasses import replace
from typing import Final

from gateway.i18n.phrases import say
from gateway.language.model.reading import Reading, Resolver
from gateway.language.privacy.private_messages import addressed_to, ask_further, hold, is_known
from gateway.language.words.normalize import first_token, fold_case
from gateway.language.words.typing_errors import intended_verb

# Each of these phrases before a name says that the rest is for that person.
_SAYING = r"""
(?:(?:please|pls|just(?=\ tell)|(?:can|could|would)\ you)\ )*+(?:
  (?:private|confidential)\ [-–—]
|  (?:send\ )?(?:a\ |an\ )?(?:private\ |direct\ |personal\ |secret\ )?(?:message|text|sms|msg|dm|pm|note)
    (?:\ (?:to|for))?
| send(?=\ \S+\ (?:a|an)\ (?:private\ |direct\ )?(?:message|text|dm|note)\b) | whisper(?:\ to)?
| (?:direct|private)-?message(?:\ to)? | priv(?:ate)?msg
| send(?:\ (?:this|it))?\ (?:privately|private|in\ private|only)(?:\ to)?
| (?:(?:strictly|highly)\ )?
    (?:private|privately|priv|prv|pvt|secret|confidential|personal|direct|in\ private|off\ the\ record|between\ us)
    (?:\ (?:message|msg|text|note))?[:,]?(?:\ (?:to|for|with))?
| (?:for|to)(?=\ \S+\ (?:only|alone)\b) | only\ (?:for|to) | just\ (?:for|to)
| (?:only|just)(?=\ [^\s:,]+:) | only(?=\ \S+\ (?:should|may|must)\ (?:read|see|know)\b) | (?:for\ )?eyes\ only
| (?:just\ )?between(?=\ \S+\ and\ me[:,]) | (?:just\ )?between\ me\ and(?=\ \S+[:,])
| pss+t,? | [🔒🔐🤫🤐]\ufe0f? | to(?=:\ ) | let(?=\ \S+\ know:) | between\ (?:us|you\ and\ me),?
| (?:tell|ask|let|inform|answer|write|reply|send|notify|warn|remind|respond)(?:\ to)?
    (?=\ \S+(?:\ \S+){0,4}\ [(-]*(?:privately|in\ private|in\ confidence|in\ secret|secretly|quietly|discreetly
        |confidentially|off\ the\ record|only|alone)\b)
| (?:reply|respond)(?:\ (?:privately|in\ private))?\ to(?=\ [^\s:,]+:)
| (?:tell|write|send|txt|ping|inbox|inform|notify|remind|warn|answer|reply|e-?mail|mail|whatsapp|slack|imessage|memo)
    (?:\ (?:only|just))?(?:\ (?:this|it))?(?:\ (?:only|just))?(?:\ to)?
    (?=\ [^\s:,]+(?:,?\ (?:and|&|\+|y)\ [^\s:,]+|,\ ?[^\s:,]+)*:)
| (?:privately|secretly)\ tell | txt
| [\[(*_]+(?:private|privately|confidential|secret)(?:\ (?:to|for))?[\])*_]*
| (?:un\ )?(?:mensaje|texto)(?:\ privado|\ directo)?(?:\ (?:a|para))? | (?:en\ )?privado(?:\ (?:a|para|con))?
| (?:solo|sólo)\ para | (?:solo|sólo)(?=\ [^\s:,]+:)
| (?:md|confidencial|secreto|directo|privadamente|susurra)[:,]?(?:\ a)? | entre\ (?:nosotros|t[uú]\ y\ yo),?
| (?:m[aá]nda(?:le)?|env[ií]a(?:le)?|escr[ií]be(?:le)?)\ un\ (?:mensaje|texto)(?:\ (?:privado|directo))?\ (?:a|para)
| (?:dile|d[ií]gale|av[ií]sa(?:le)?|m[aá]nda(?:le)?|env[ií]a(?:le)?|escr[ií]be(?:le)?|responde(?:le)?)\ a(?=\ [^\s:,]+:)
| (?:dile|d[ií]gale|avisa|escribe|manda)\ a(?=\ \S+(?:\ \S+){0,4}\ (?:en\ privado|en\ secreto|a\ solas)\b)
| (?:private\ |persönliche\ )?nachricht(?:\ an)? | privat(?:\ an)? | nur\ für
| (?:un\ )?message(?:\ privé)?(?:\ (?:à|pour))? | (?:en\ )?privé(?:\ (?:à|pour))?
)[:,!]?\ """
_BEFORE: Final = re.compile(_SAYING.replace("\n", ""), re.VERBOSE)
_LONGEST = 60
_TO: Final = frozenset(["to", "for", "with", "a", "para"])
_INITIALS: Final = frozenset("pmw")  # the letters that a slip in one of these words may begin with
_FIRST_WORDS = """
please pls send a an private direct personal secret message text sms dm pm note whisper privately confidential in off
for to only just between tell un mensaje texto en privado solo sólo dile nachricht private persönliche privat nur
message privé ask let inform answer write reply txt ping inbox secretly dígale digale avisa escribe manda priv prv pvt
strictly highly eyes psst pssst psssst can could would respond notify warn remind e-mail email mail whatsapp slack
imessage memo let md
direct-message directmessage private-message privatemessage privmsg privatemsg
confidencial secreto directo privadamente susurra entre mándale mandale envía envia envíale enviale escríbele escribele
avísale avisale avísa responde respondele 🔒 🔐 🤫 🤐
"""
_FIRST: Final = frozenset(_FIRST_WORDS.split())


# "kim only: …", "@kim (private) …": the name first.
_BEHIND: Final = re.compile(
    r"[,:.]?\s*[-–—]?\s*[(\[*]?(?:just\s+|strictly\s+)?"
    r"(?:private|privately|in private|confidential|confidentially|in confidence|only|en privado)[)\]*]?"
    r"(?:[:,]|\s[-–—])\s*|\s*[(\[](?:private|privately|confidential|just you|only you|en privado)[)\]]\s*",
    re.IGNORECASE,
)
# Nobody says this to a whole company: with a name in front, it is for that person.
_SECRET: Final = re.compile(
    r"\b(?:(?:just\s+|strictly\s+|stays?\s+)?between (?:us|you and (?:me|i)|the two of us)\b|for your eyes only"
    r"|this is (?:strictly )?(?:private|confidential|a secret)\b|(?:don['’]?t|do not) tell (?:anyone|anybody|a soul)\b"
    r"|keep (?:this|it) (?:private|secret|confidential|between us|to yourself)\b|entre (?:nosotros|t[uú] y yo)\b"
    r"|no se lo digas a nadie"
    r"|que quede entre nosotros)[:,.]?\s*",
    re.IGNORECASE,
)
_PRIVATELY: Final = re.compile(r"(?:privately|in private|en privado)\b[:,]?\s*", re.IGNORECASE)
_GREETING: Final = re.compile(r"(?:hi|hey|hello|dear|hola|oye|psst)[,!]?\s+", re.IGNORECASE)
_HOW: Final = re.compile(
    r"^(?:privately|in private|in confidence|in secret|secretly|quietly|discreetly|confidentially"
    r"|off the record|only|alone|know(?=:)|en privado|a solas"
    r"|an? (?:private |direct )?(?:message|text|dm|note))\b[:,]?\s*(?:that )?",
    re.IGNORECASE,
)


def plainly_private(text: str, resolver: Resolver) -> Reading | None:
    """Asks about a cleaned text that says in plain words that it is for somebody; None for any other text."""
    word = fold_case(first_token(text[:_LONGEST])[0]).strip(":,!.[]()*_")
    if word not in _FIRST:
        return _slip(text, word, resolver) or _name_first(text, resolver)
    said = fold_case(text[:_LONGEST]).replace("\n", " ")
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


_MEANT: Final = dict.fromkeys(["private", "privately", "message", "whisper"])
_OTHER_WORDS: Final = frozenset(["massage", "messages", "messaged", "privates", "primate", "whispers", "whisperer"])


def _slip(text: str, word: str, resolver: Resolver) -> Reading | None:
    """Asks about `mesage bob …` and `prviate bob: …`: one letter away, and then somebody's name."""
    if word[:1] not in _INITIALS or not 5 < len(word) < 11 or word in _OTHER_WORDS or not intended_verb(word, _MEANT):
        return None
    rest = first_token(text)[1]
    name, after = first_token(rest)
    if fold_case(name) in _TO:
        rest, (name, after) = after, first_token(after)
    if not after or not is_known(name, resolver):
        return None
    return hold(text, addressed_to(rest, resolver), say('"{words}" looks private', words=f"{word} {name}".rstrip(":,")))


_SAID_BEHIND: Final = (
    "privat",
    "only",
    "confiden",
    "privad",
    "between ",
    "secret",
    "tell a",
    "keep ",
    "just you",
    "entre ",
    "digas",
)


def _name_first(text: str, resolver: Resolver) -> Reading | None:
    lower = text[:_LONGEST].lower()
    if not any(word in lower for word in _SAID_BEHIND):
        return None
    greeting = _GREETING.match(text)
    name, rest = first_token(text[greeting.end() :] if greeting else text)
    if not rest or not is_known(name, resolver):
        return None
    body = _behind_name(name, rest)
    if body is None:
        return None
    addressed = replace(addressed_to(f"{name.rstrip(',:')} {body}", resolver), body=body)
    return hold(text, addressed, say('"{words}" looks private', words=f"{name} {rest}"[:40].rstrip(" :,")))


def _behind_name(name: str, rest: str) -> str | None:
    """The words for the person whose name begins the text; None when nothing says that they are private."""
    mark = name[len(name.rstrip(",:")) :]
    said = f"{mark} {rest}"
    if match := _BEHIND.match(said):
        return said[match.end() :] or None
    if name[0] == "@" and (match := _PRIVATELY.match(rest)):
        return rest[match.end() :] or None
    match = _SECRET.search(rest[:_LONGEST])
    if match and (mark or name[0] == "@" or match.start() == 0):
        return rest[match.end() :] if match.start() == 0 and rest[match.end() :] else rest
    return None
