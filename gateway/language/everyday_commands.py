"""Commands in people's own words: with small words, several names, an everyday phrase, or a slip in the verb.

A text with a verb (or a word one letter away from one) before somebody's name is never published without asking.
grammar.py calls it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from gateway.i18n.phrases import say
from gateway.language.command_reader import command
from gateway.language.model.reading import Context, NamedAccount, Reading, Resolver
from gateway.language.usage.arguments import LONGEST_WORD, MOST_TOKENS
from gateway.language.usage.full_names import MOST_WORDS, may_be_name
from gateway.language.usage.matching import account
from gateway.language.usage.verbs import Verb
from gateway.language.words.normalize import bare_verb_of, first_token, fold_case, name_of, tokens, verb_of
from gateway.language.words.typing_errors import intended_verb

Verbs = Mapping[str, Verb]
LONGEST: Final = 160
_POLITE: Final = frozenset(["please", "pls", "plz", "thanks", "thx", "ty", "porfa"])
_SMALL_WORDS: Final = """
to the a an group now from of is are called named my again into for with updates posts al de del el en es está grupo
la las los mi un una por favor ahora
"""
_SMALL: Final = _POLITE | frozenset(_SMALL_WORDS.split())
_PLACES: Final = frozenset({"on", "off", "like"})  # "off to ACME" means that somebody is on the way there
_ALWAYS: Final = re.compile(
    r"\s+(?:forever|for ?ever|for good|permanently|indefinitely|for all time|para siempre)(?: and ever)?[.!]*$",
    re.IGNORECASE,
)
_UNDO: Final = re.compile(
    r"(?:please )?(?:undo|delete|retract|take back|unsend|recall|cancel|remove|deshacer|deshaz|borra|borrar|elimina)"
    r"(?: (?:my|the|that|this|it|el|la|mi|lo))?(?: (?:very )?(?:last|latest|previous|último|ultimo|última|ultima))?"
    r"(?: (?:one|post|update|text|message|thing|command|action|mensaje|texto))?(?: please)?"
)
_HELP: Final = re.compile(
    r"(?:so )?(?:how (?:does|do|can|should) (?:this|it|critter|that|these things|i use (?:this|it|critter))"
    r"(?: (?:thing|service|system))?(?: work)?"
    r"|what (?:can|do|should) i (?:do|say|text|send|write)(?: here| with this| to you)?"
    r"|what (?:commands|words) (?:are there|do you (?:know|have|understand))"
    r"|(?:list|show)(?: me)?(?: all)?(?: the)? commands|commands"
    r"|c[oó]mo (?:funciona|se usa|uso)(?: (?:esto|critter))?|qu[eé] puedo (?:hacer|decir|escribir)(?: aqu[ií])?)"
)
# Everyday phrases that stand for a verb. They count only when a name follows.
_INSTEAD: Final = tuple(
    (re.compile(pattern + r"\s+", re.IGNORECASE), verb)
    for pattern, verb in (
        (r"who(?:['’]?s| is| are)|qui[eé]n(?: es)?", "whois"),
        (r"(?:please|pls|plz|por favor),?", ""),
        (r"(?:make|create|start|open)(?: a| the)?(?: new)? group(?: called| named)?", "new"),
        (r"subscribe(?: me)?(?: to)?", "follow"),
        (r"un-?subscribe(?: me)?(?: from)?|stop following", "unfollow"),
        (r"un[- ]?follow|dejar de seguir(?: a)?|deja de seguir(?: a)?", "unfollow"),
        (r"un[- ]?mute", "unmute"),
        (r"un[- ]?block", "unblock"),
        (r"(?:add|put|sign)(?: me)(?: up)? (?:to|in|into|for)", "join"),
        (r"(?:remove|take|get) me (?:from|off|out of)", "unfollow"),
        (r"(?:show|read|get)(?: me)?(?: the)?(?: last| latest)?", "get"),
    )
)


# Spanish phrases for a verb, in singular and plural. They count for Spanish speakers only, and when a name follows.
_IN_SPANISH: Final = tuple(
    (re.compile(rf"(?:por favor,? )?(?:{pattern})(?:\s+a)?\s+", re.IGNORECASE), verb)
    for pattern, verb in (
        (r"siga|sigan|sigue|quiero seguir|empieza a seguir|suscr[ií]beme", "follow"),
        (r"[uú]nete|[uú]neme|quiero unirme|entra(?: en)?|m[eé]teme en", "join"),
        (r"(?:deja|deje|dejen) de seguir|no sigas|no quiero seguir|ya no quiero seguir", "unfollow"),
        (r"deja|deje|dejen|sal de|salir de|s[aá]came de|quita|quite", "unfollow"),
        (r"bloquea|bloquee|bloqueen", "block"),
        (r"silencia|silencie|silencien", "mute"),
        (r"desilencia|desilencie|desbloquea|desbloquee|quitar? el (?:silencio|bloqueo)", "unmute"),
        (r"busca|busque|b[uú]scame|buscar|encuentra", "whois"),
        (r"muestra|muestre|mu[eé]strame|ense[ñn]a|ens[eé][ñn]ame|lee|l[eé]eme", "get"),
        (r"apaga|apague|pausa|pause", "off"),
        (r"enciende|encienda|reanuda|reanude", "on"),
        (r"denuncia|denuncie", "report"),
    )
)
_SPANISH_STARTING: Final = """
siga sigan sigue quiero empieza suscríbeme suscribeme únete unete úneme uneme entra méteme meteme deja deje dejen no ya
sal salir sácame sacame quita quite quitar bloquea bloquee bloqueen silencia silencie silencien desilencia desilencie
desbloquea desbloquee busca busque búscame buscame buscar encuentra muestra muestre muéstrame muestrame enseña ensena
enséñame ensename lee léeme leeme apaga apague pausa pause enciende encienda reanuda reanude denuncia denuncie
"""
_SPANISH_STARTS: Final = frozenset(_SPANISH_STARTING.split())
_SPANISH: Final = "seguir"  # this verb is in the table only when the writer speaks Spanish


def natural_command(text: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """Reads a text as a command while ignoring small words; None when it is no command, or not clearly one."""
    if len(text) > LONGEST or "\n" in text or not _may_be_command(text, verbs):
        return None
    if phrase := _phrase(text, verbs):
        return phrase
    for written in _rewritten(text, _IN_SPANISH if _SPANISH in verbs else ()):
        found = _tried(written, verbs, resolver, context)
        if found is not None:
            return replace(found, text=text)
    return None


def _may_be_command(text: str, verbs: Verbs) -> bool:
    """A cheap check of the first word, because most texts are no commands."""
    word = verb_of(first_token(text)[0][:LONGEST_WORD])
    return word in verbs or word.strip("¿?") in _STARTS or (word in _SPANISH_STARTS and _SPANISH in verbs)


_STARTING: Final = """
who who's who’s whos quien quién please pls plz por make create start open subscribe unsubscribe un un-subscribe
put sign stop
un-follow un-mute un-block unfollow unmute unblock dejar deja show read get so how what list commands commands?
cómo como qué que undo delete retract take unsend recall cancel remove deshacer deshaz borra borrar elimina
"""
_STARTS: Final = frozenset(_STARTING.split())


def ends_politely(text: str) -> bool:
    """Whether the last word is a courtesy and no argument: `stats please`."""
    return fold_case(text.rpartition(" ")[2][:LONGEST_WORD]).strip(".!") in _POLITE


def without_courtesies(text: str) -> str:
    """The text without please and thanks behind its last word."""
    bare = text
    while " " in bare and ends_politely(bare):
        bare = bare.rpartition(" ")[0].rstrip(" ,")
    return bare


def _phrase(text: str, verbs: Verbs) -> Reading | None:
    """Reads a whole text such as `undo last`, `delete that` or `how does this work?`."""
    said = " ".join(bare_verb_of(text).split())
    verb = "undo" if " " in said and _UNDO.fullmatch(said) and said not in verbs else None
    verb = "help" if verb is None and _HELP.fullmatch(said) else verb
    if verb is None or verb not in verbs:
        return None
    return Reading(verbs[verb].intent, (), "company", f"it means {verb}", verb, (), text)


def _rewritten(text: str, abroad: Sequence[tuple[re.Pattern[str], str]]) -> Iterator[str]:
    bare = _ALWAYS.sub("", text)
    if bare != text:
        yield bare
    for pattern, verb in (*_INSTEAD, *abroad):
        if match := pattern.match(bare):
            yield f"{verb} {bare[match.end() :]}".strip()
    yield bare


def _tried(written: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    token, rest = first_token(written)
    verb = verbs.get(verb_of(token)) if len(token) <= LONGEST_WORD else None
    if verb is None or verb.private or not rest or _says_anything(verb):
        return None
    spoken = [match.group() for match in tokens(rest, MOST_TOKENS + 1)]
    if len(spoken) > MOST_TOKENS:
        return None
    return _whole(written, verb, verbs, resolver, context) or _without_small(
        token, spoken, verb, verbs, resolver, context
    )


def _says_anything(verb: Verb) -> bool:
    """Whether the verb takes free text, in which no small word may be ignored."""
    return any({"TEXT", "FULLNAME", "LINE"} & set(piece.kinds) for form in verb.forms for piece in form.pieces)


def _whole(written: str, verb: Verb, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    found = command(written, verbs, resolver, context)
    return found if found and _is_clear(found, verb) else None


def _is_clear(found: Reading, verb: Verb) -> bool:
    """Whether it is a command about somebody known, or a command that asks before it acts."""
    return bool(found.names and found.intent not in ("ask", "error")) or (verb.asks and found.intent == "ask")


def _without_small(
    token: str, spoken: Sequence[str], verb: Verb, verbs: Verbs, resolver: Resolver, context: Context
) -> Reading | None:
    small = _POLITE | {"group", "grupo"} if verb.name in _PLACES else _SMALL
    words = [word for word in spoken if fold_case(word).strip(".,!?") not in small]
    if not words:
        polite = all(fold_case(word).strip(".,!?") in _POLITE for word in spoken)
        found = command(token, verbs, resolver, context) if polite else None
        return found if found and found.intent not in ("ask", "error") else None
    number_first = [[words[-1], *words[:-1]]] if words[-1].isdecimal() else []  # "get acme 3" is "get 3 acme"
    for ordered in (words, *number_first):
        if ordered != list(spoken) and (found := _whole(" ".join([token, *ordered]), verb, verbs, resolver, context)):
            return found
    return _several(words, verb, resolver)


def _several(words: Sequence[str], verb: Verb, resolver: Resolver) -> Reading | None:
    """Applies the verb to several names in their order: `follow kim and dave`, `mute kim, dave`."""
    kind = next((form.pieces[0].kinds[0] for form in verb.forms if _takes_a_name(form.pieces)), None)
    written = " ".join(words)
    if kind is None or verb.asks:
        return None
    parts = [part.strip() for part in re.split(r"\s*,\s*(?:(?:and|y)\s+)?|\s+(?:and|&|\+|plus|y|e)\s+", written)]
    if len(parts) < 2:
        return None
    found = [account(part, kind, resolver).exact if part else () for part in parts]
    names = tuple(dict.fromkeys(each[0] for each in found if len(each) == 1))
    if len(names) != len(parts):
        return None
    handles = ",".join(each.handle for each in names)
    reason = f"the command {verb.name} for each of {handles}"[:120]
    return Reading(verb.intent, (handles,), "company", reason, verb.name, names, written)


def _takes_a_name(pieces: Sequence[object]) -> bool:
    first, *others = pieces or (None,)
    account_ = getattr(first, "account", False)
    return bool(account_) and all(getattr(each, "optional", False) for each in others)


_GLUED: Final = re.compile(r"([^\W\d_]{2,20})[:@,>-]+([^\W_]\S{0,60})$")  # follow:kim, mute@kim
_ADDRESS: Final = re.compile(r"\S@\S+\.\S|\+\d{7}")  # of somebody else: it is nothing to publish
_OF_THEIRS: Final = frozenset(
    ["post", "posts", "update", "updates", "text", "texts", "message", "messages", "last", "latest"]
)


def name_after_verb(text: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """Keeps a text that begins with a verb, or nearly one, and then somebody's name, and asks what it means."""
    token, rest = first_token(text)
    if not rest and (glued := _GLUED.match(token)):
        token, rest = glued.groups()
    if not rest or len(token) > LONGEST_WORD:
        return None
    word = verb_of(token)
    verb = verbs.get(word)
    if verb and verb.name == "invite" and _ADDRESS.search(rest[:LONGEST]):
        return Reading("ask", (text,), "company", say("this begins like a command"), None, (), text)
    meant = None if verb else intended_verb(word, verbs)
    if (verb is None and meant is None) or (verb and verb.private):
        return None
    if (verb or verbs[meant or word]).marked and (verb or fold_case(rest[:1]) != "#"):
        return None  # "as kim said", "ask kim about it"
    known, name = _known_after(rest, resolver, coined=verb is None or not verb.asks_about(word))
    becomes = _becomes(f"{meant} {rest}", verbs, resolver, context) if meant and not known else None
    if meant and (known or (becomes and becomes.names)):
        if resolver(name_of(token)).exact:  # "Jon, Kim and I": a name, and no slip
            return None
        return _meant(text, f"{meant} {rest}", f"{meant} {name}", verbs, resolver, context)
    return _meant(text, "", f"{word} {name}", verbs, resolver, context) if known else None


_BEFORE_NAMES: Final = frozenset(
    ["to", "the", "group", "a", "al", "el", "both", "everyone", "in", "all", "ms", "mr", "mrs"]
)


def _known_after(rest: str, resolver: Resolver, *, coined: bool) -> tuple[tuple[NamedAccount, ...], str]:
    """Who the next word or words name; after a made-up verb, small words before the name are skipped."""
    words = [match.group() for match in tokens(rest, MOST_WORDS + 2)]
    while coined and len(words) > 1 and fold_case(words[0]) in _BEFORE_NAMES:
        del words[0]
    if words and words[0][-2:] in ("'s", "’s") and (len(words) == 1 or fold_case(words[1]).strip(".!?") in _OF_THEIRS):
        words = [words[0][:-2]]  # "mute kim's posts"
    for count in range(1, min(MOST_WORDS, len(words)) + 1):
        if count > 1 and not may_be_name(words[:count]):
            break
        if found := resolver(" ".join(filter(None, map(name_of, words[:count])))).exact:
            return found, " ".join(map(name_of, words[:count]))
    return (), ""


def _becomes(written: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """Reads words as a command, with or without small words."""
    token, _ = first_token(written)
    verb = verbs.get(verb_of(token))
    if verb is None or verb.private:
        return None
    return _whole(written, verb, verbs, resolver, context) or natural_command(written, verbs, resolver, context)


def _meant(text: str, whole: str, shorter: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading:
    """Asks for the command that all of the words make, else for the one that the verb and the name make."""
    for written in filter(None, (whole, shorter)):
        found = _becomes(written, verbs, resolver, context)
        if found and found.verb and not verbs[found.verb].asks:
            form = " ".join(written.split())[:60]
            reason = say('did you mean "{form}"?', form=form)
            return Reading("ask", found.args, "company", reason, found.verb, found.names, text, form=form)
    return Reading("ask", (text,), "company", say("this begins like a command"), None, (), text)
