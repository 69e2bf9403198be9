"""Reads texts that are private or look private. Everything here fails closed: in doubt the sender is asked, and nothing
is posted. grammar.py calls it before it reads any other command."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.i18n.phrases import say
from gateway.language.model.reading import NamedAccount, Reading, ResolvedName, Resolver
from gateway.language.privacy.words_starting_with_d import WORDS_STARTING_WITH_D
from gateway.language.usage.arguments import LONGEST_WORD
from gateway.language.words.normalize import CLOSING_QUOTES, OPENING_QUOTES, first_token, fold_case, name_of, verb_of

VERBS = frozenset({"d", "dm", "msg", "pm"})
# Typing errors, and `d` in other languages. None is an English word, so before a known name they mean `d`.
_SLIPS = """
dd ddd dmm ddm dmn dms ddn dn mdg mgs mssg msgg msgs mesg mssge msge pmm pms pn mp s x ds sd df dk fd dx
"""
NEAR_VERBS = frozenset(_SLIPS.split())
MOST_NAMES = 20
# Longer prefixes come last: "dmike" is read as d and mike rather than as dm and ike.
_GLUED = tuple(
    re.compile(rf"{prefix}([^a-z0-9\s]{{0,3}})([a-z0-9][a-z0-9_]{{1,19}})(?![a-z0-9_])")
    for prefix in ("d", "dm", "msg", "pm")
)
_AT = re.compile(r"(?:dm|msg|pm|d)[.:,]?@(?P<names>[^@]+)")
# No word begins like this, so it looks private even when the name is mistyped.
_UNSAYABLE = re.compile(r"d[bcfgklmnpqstvxz][a-z0-9_]{2,19}")
_MARKS = re.compile(r"[\W_]+")
_LONGEST_LIST = LONGEST_WORD * MOST_NAMES
_COMMA = re.compile(r"[,;]")
# First names that also begin a sentence: "d kim, will you come?" goes to Kim alone.
_STARTS = "art bill can chase dean drew frank grant hope jack mark max may miles rich rob sue will"
_SENTENCE_STARTS = frozenset(_STARTS.split())
_INITIALS = frozenset("dmp")
_TO = frozenset(["to", "a", "an", "à", "für", "para", "an"])
_AND = frozenset(["and", "&", "+", "y", "und", "et", "e", "plus"])
_QUOTES = OPENING_QUOTES + CLOSING_QUOTES
FORM = "d NAME text"


@dataclass(frozen=True, slots=True)
class Addressed:
    """To whom a private text goes: the accounts, the words that name nobody, what to offer for them, and the body.

    `several`: the first of those words names more than one account."""

    names: tuple[NamedAccount, ...]
    unknown: tuple[str, ...]
    near: tuple[NamedAccount, ...]
    written: str
    body: str
    several: bool = False


def private_reading(text: str, resolver: Resolver, verbs: Iterable[str] = VERBS) -> Reading | None:
    """Reads a cleaned text that is private or looks private by its first words; None for any other text."""
    token, rest = first_token(text)
    if not token:
        return None
    start = token[:_LONGEST_LIST]
    if verb_of(start) in verbs:
        return _direct(text, rest, resolver)
    if at := _AT.fullmatch(fold_case(start)):
        found = _at(text, at["names"], token, rest, resolver)
        if found is not None:
            return found
    return _marked(text, token, rest, resolver, verbs) or _glued(text, token, rest, resolver)


def read_slip(text: str, resolver: Resolver) -> Reading | None:
    """Reads `f kim my salary` as a slip for `d`, which is beside f on the keyboard. `f` and a name alone is no slip."""
    token, rest = first_token(text)
    return _nearly(text, token, rest, resolver) if verb_of(token) == "f" and first_token(rest)[1] else None


def _direct(text: str, rest: str, resolver: Resolver) -> Reading:
    rest = _without_to(rest, resolver)
    if not first_token(rest)[1]:
        return _no_text(text, oneself=_found(rest, resolver).oneself)
    addressed = addressed_to(rest, resolver)
    if not addressed.body:
        return _no_text(text)
    if addressed.unknown:
        return hold(text, addressed, _nobody(addressed))
    if several := ask_further(text, addressed, resolver):
        return several
    handles = ",".join(each.handle for each in addressed.names)
    reason = f"privately to {handles}"
    return Reading("direct", (handles, addressed.body), "direct", reason, "d", addressed.names, addressed.body)


def _without_to(rest: str, resolver: Resolver) -> str:
    """Drops a small word before a known name, as in `dm to kim hi`, unless the small word is somebody's name."""
    word, after = first_token(rest)
    name = name_of(word)
    if name not in _TO or resolver(name).exact or not is_known(first_token(after)[0], resolver):
        return rest
    return after


def ask_further(text: str, addressed: Addressed, resolver: Resolver) -> Reading | None:
    """Asks about `d kim and dave hi` or `d kim, dave and pat hi`: a known name after "and" may continue the list or
    begin the text. The text is kept; answer 1 sends the words behind the names to all of them."""
    said, found, body = _further(addressed, resolver)
    if not found:
        return None
    sure = tuple(each[0] for each in found if len(each) == 1)
    several = [each for each in found if len(each) > 1]
    near = several[0] if several else sure[-1:]
    names = (*addressed.names, *(sure if several else sure[:-1]))
    written = [*(each.handle for each in addressed.names), *addressed.unknown, *(each[0].handle for each in found)]
    words = f"{addressed.written} {' '.join(said)}"[:24].strip(" :,")  # the question has to fit one text
    reason = say('"{words}" may be more names', words=words)
    return Reading("ask", (",".join(written), body), "direct", reason, "d", names, text, near[:3])


def _further(addressed: Addressed, resolver: Resolver) -> tuple[list[str], list[tuple[NamedAccount, ...]], str]:
    """The words that continue a list of names, who each of them may be, and the text behind them."""
    said: list[str] = []
    found: list[tuple[NamedAccount, ...]] = []
    body, known = addressed.body, set(addressed.names)
    while len(found) < MOST_NAMES:
        word, after = first_token(body)
        is_and = fold_case(word) in _AND
        if not is_and and not (said and said[-1][-1] in ",;"):
            break
        name, rest = first_token(after) if is_and else (word, after)
        each, rest = _listed_names(name, rest, resolver)
        new = [one for one in each if not set(one) & known]
        if not rest or not new:
            break
        said += [word, name.rstrip(":")] if is_and else [name.rstrip(":")]
        found, body = [*found, *new], rest
        known.update(*new)
    return said, found, body


def _listed_names(word: str, rest: str, resolver: Resolver) -> tuple[list[tuple[NamedAccount, ...]], str]:
    """Whom a word of a list names (`bob,kim` names two); nobody when one name is unknown or often begins a sentence."""
    names = [name for name in _COMMA.split(word[:_LONGEST_LIST], MOST_NAMES) if name]
    if not names or name_of(names[0]) in _SENTENCE_STARTS:
        return [], rest
    each = [_found(name, resolver) for name in names]
    if len(names) == 1:
        each[0], rest = _full_name(word, rest, resolver)
    return [one.exact for one in each] if all(one.exact for one in each) else [], rest


def _at(text: str, names: str, token: str, rest: str, resolver: Resolver) -> Reading | None:
    """Reads `d@kim hi`. A mail address such as d@example.com is no private message."""
    if "." in names.strip(".") and not resolver(names).exact:
        return None
    return _direct(text, token[token.index("@") + 1 :] + " " + rest if "@" in token else f"{names} {rest}", resolver)


def _marked(text: str, token: str, rest: str, resolver: Resolver, verbs: Iterable[str]) -> Reading | None:
    """Reads `dd kim`, `(d) kim`, `D.M. kim`, `- d kim`: a mistyped verb, or one with marks, and then a known name."""
    bare = _bare(token)
    if not bare:
        token, rest = first_token(rest)
        bare = _bare(token)
    return _nearly(text, token, rest, resolver) if bare in verbs or bare in NEAR_VERBS else None


def _bare(token: str) -> str:
    word = fold_case(token[:LONGEST_WORD])
    return word if word.isalnum() else _MARKS.sub("", word)


def _nearly(text: str, token: str, rest: str, resolver: Resolver) -> Reading | None:
    if not is_known(first_token(rest)[0], resolver):
        return None
    return hold(text, addressed_to(rest, resolver), say('"{word}" looks like d', word=verb_of(token)))


def _glued(text: str, token: str, rest: str, resolver: Resolver) -> Reading | None:
    """Reads `dkim lunch?`: d and a known name in one token that is neither a word nor anyone's name."""
    token = token[:LONGEST_WORD]
    if fold_case(token[0]) not in _INITIALS or (whole := name_of(token)) in WORDS_STARTING_WITH_D:
        return None
    handle, found = _behind_d(fold_case(token), whole, resolver)
    if not found:
        return None
    if not rest:
        return _no_text(text)
    addressed = Addressed((), (whole,), found, handle, rest)
    return hold(text, addressed, say('"{word}" looks like d {handle}', word=whole, handle=handle))


def _behind_d(token: str, whole: str, resolver: Resolver) -> tuple[str, tuple[NamedAccount, ...]]:
    """The name that d is glued to and who has it; similar names count too when the token cannot be a word."""
    for pattern in _GLUED:
        match = pattern.match(token)
        found = _everyone(resolver(match[2])) if match else ()
        if match and found and (match[1].strip("_") or not resolver(whole).exact):
            return match[2], found
    handle = whole[1:]
    if not _UNSAYABLE.fullmatch(whole) or resolver(whole).exact:
        return handle, ()
    return handle, tuple(each for each in resolver(handle).near if each.handle[0] == handle[0])


def addressed_to(rest: str, resolver: Resolver) -> Addressed:
    """Reads `NAME[,NAME…] text`. After a comma and a blank, a word continues the list only when it resembles a name."""
    start, rest = first_token(rest)
    names: list[NamedAccount] = []
    unknown: list[str] = []
    near: tuple[NamedAccount, ...] = ()
    several = False
    written = start
    while True:
        for word in filter(None, _COMMA.split(start, MOST_NAMES)):
            found, rest = _full_name(word, rest, resolver) if word == start else (_found(word, resolver), rest)
            if len(found.exact) == 1:
                names.append(found.exact[0])
            else:
                several = several or (bool(found.exact) and not unknown)
                unknown.append(word)
                near = near or found.exact or found.near
        following, after = first_token(rest)
        if start[-1:] not in (",", ";") or len(written) > 20 * MOST_NAMES or not _listed(following, resolver):
            break
        start, rest = following, after
        written += start
    unknown += [] if names or unknown else [written]
    return Addressed(_once(names), tuple(unknown), near[:3], written.strip(",;"), rest, several)


def _listed(word: str, resolver: Resolver) -> bool:
    """Whether the word after "d kim, " continues the list: a name or a mistyped name does, "lunch?" does not."""
    name = name_of(word)
    if name in _SENTENCE_STARTS:
        return False
    found = _found(word, resolver)
    return bool(found.exact) or any(_slip(name, each.handle) for each in found.near)


def _slip(word: str, handle: str) -> bool:
    return len(word) > 3 and word[0] == handle[0] and abs(len(word) - len(handle)) < 2


def _full_name(word: str, rest: str, resolver: Resolver) -> tuple[ResolvedName, str]:
    """Joins a first name with the family name behind it: "d kim lee lunch?"."""
    found = _found(word, resolver)
    second, after = first_token(rest)
    if not second or not after or len(second) > LONGEST_WORD or word[-1:] in ",;":
        return found, rest
    whole = f"{name_of(word)} {name_of(second)}"
    if found.exact and not any(each.name.casefold() == whole for each in found.exact):
        return found, rest
    longer = resolver(whole)
    if len(longer.exact) == 1 and longer.exact[0].name.casefold() == whole:
        return longer, after
    return found, rest


def _everyone(found: ResolvedName) -> tuple[NamedAccount, ...]:
    return (*found.exact, *found.also)[:3] if found.exact else ()


def _found(word: str, resolver: Resolver) -> ResolvedName:
    """Everybody whom a word in a private text may mean, not only the owner of the handle. A mark before it decides:
    `@pat` is the handle, `#pat` the group."""
    name = name_of(name_of(word).strip(_QUOTES))
    if not name or len(name) > LONGEST_WORD:
        return ResolvedName()
    found = resolver(name)
    mark = fold_case(word)[:1]
    everyone = found.exact if mark == "@" else (*found.exact, *found.also)
    groups = tuple(each for each in everyone if each.kind == "group") if mark == "#" else ()
    return ResolvedName(groups or everyone, found.near, oneself=found.oneself)


def is_known(word: str, resolver: Resolver) -> bool:
    """Whether a word is a known name, or a list with at least one known name."""
    names = filter(None, _COMMA.split(word[:_LONGEST_LIST], MOST_NAMES))
    return any(_found(name, resolver).exact for name in names)


def hold(text: str, addressed: Addressed, reason: str) -> Reading:
    args = (addressed.written, addressed.body)
    return Reading("ask", args, "direct", reason, "d", addressed.names, text, addressed.near or addressed.names)


def _nobody(addressed: Addressed) -> str:
    """Lists every name that is not clear, because then nobody in the list gets the text."""
    if len(addressed.unknown) > 1:
        return say("these names are not clear: {names}", names=", ".join(dict.fromkeys(addressed.unknown)))
    if addressed.several:
        return say("more than one is called {word}", word=addressed.unknown[0])
    return say("no one is called {word}", word=addressed.unknown[0])


def _no_text(text: str, *, oneself: bool = False) -> Reading:
    reason = say("that is you") if oneself else say("a private message needs a name and a text")
    return Reading("error", (), "direct", reason, "d", text=text, form=FORM)


def _once(names: list[NamedAccount]) -> tuple[NamedAccount, ...]:
    return tuple(dict.fromkeys(names))
