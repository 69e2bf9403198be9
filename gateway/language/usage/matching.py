"""Reads the words after a verb by its usage lines: the number, kind and meaning of the arguments must all fit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.language.model.reading import NamedAccount, ResolvedName, Resolver
from gateway.language.usage.arguments import ACCOUNTS, ArgumentSlot, ArgumentWords
from gateway.language.usage.verbs import UsageForm, Verb
from gateway.language.words.normalize import fold_case, name_of


@dataclass(frozen=True, slots=True)
class Bound:
    """The words fill a usage line. `args`: the arguments as a person would say them; `names`: the accounts in them."""

    args: tuple[str, ...] = ()
    names: tuple[NamedAccount, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArgumentMismatch:
    """The number of words is right, but `word` names nobody or several, or is of the wrong kind."""

    args: tuple[str, ...]
    word: str
    kind: str
    near: tuple[NamedAccount, ...] = ()
    several: bool = False

    @property
    def full_name(self) -> bool:
        """Whether the word is several words that may be a name, or a sentence when nobody has a similar name."""
        return " " in self.word and self.kind in ACCOUNTS


@dataclass(frozen=True, slots=True)
class TooFew:
    """The verb needs more words after it."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """There are more words than the verb takes, so that the text is an ordinary sentence."""


Fit = Bound | ArgumentMismatch | TooFew | TooMany
Filled = tuple[tuple[str, str], ...]


def fit(verb: Verb, said: str, source: ArgumentWords, resolver: Resolver, verbs: Mapping[str, Verb]) -> Fit:
    """How the words fit the verb's usage lines: by the first line whose arguments are all valid, else by the first with
    the right number of words. Several words that are nobody's name come last."""
    unfit: ArgumentMismatch | None = None
    full_name: ArgumentMismatch | None = None
    forms = tuple(form for form in verb.forms if form.only in ("", verb.alias_of(said)))
    for filled in _fillings(forms, source):
        if verb.asks and any(" " in value for value, kind in filled if kind in ACCOUNTS):
            continue  # a new group needs a handle, which is one word
        meant = _mean(filled, resolver, verbs, fresh=verb.asks)
        if isinstance(meant, Bound):
            return meant
        if meant.full_name:
            full_name = _likelier(full_name, meant)
        else:
            unfit = unfit or meant
    if unfit is None and isinstance(by_number := _by_number(forms, source), TooMany):
        return full_name or by_number
    return unfit or by_number


def _likelier(one: ArgumentMismatch | None, other: ArgumentMismatch) -> ArgumentMismatch:
    """Of two ways to read an unknown full name, the one that resembles somebody's name."""
    return one if one and (one.near or not other.near) else other


def _fillings(forms: Sequence[UsageForm], source: ArgumentWords) -> list[Filled]:
    """Every way to fill a usage line; those that need no name look-up come first."""
    found = [filled for form in forms for filled in _fill(form.pieces, source, 0)]
    return sorted(found, key=_lookups) if len(found) > 1 else found


def _lookups(filled: Filled) -> tuple[int, int]:
    names = [value for value, kind in filled if kind in ACCOUNTS]
    return sum(kind == "NAME" for _, kind in filled), sum(" " in name for name in names)


def _fill(pieces: tuple[ArgumentSlot, ...], source: ArgumentWords, at: int) -> Iterator[Filled]:
    if not pieces:
        if at == len(source) and not source.more:
            yield ()
        return
    piece, others = pieces[0], pieces[1:]
    if at < len(source):
        for count, value, kind in piece.takes(source, at):
            if kind == "TEXT":
                yield ((value, kind),)
                continue
            yield from (((value, kind), *rest) for rest in _fill(others, source, at + count))
    if piece.optional:
        yield from _fill(others, source, at)


def _mean(filled: Filled, resolver: Resolver, verbs: Mapping[str, Verb], fresh: bool) -> Bound | ArgumentMismatch:
    args: list[str] = []
    names: list[NamedAccount] = []
    for value, kind in filled:
        if fresh and kind in ("NAME", "GROUP"):
            args.append(name_of(value) or value)
        elif kind in ("NAME", "PERSON", "GROUP", "#GROUP"):
            found = account(value, kind, resolver)
            if len(found.exact) != 1:
                said = tuple(word for word, _ in filled)
                return ArgumentMismatch(
                    said, value, kind, (found.exact or found.near)[:3], several=len(found.exact) > 1
                )
            names.append(found.exact[0])
            args.append(found.exact[0].handle)
        elif kind == "VERB":
            known = verbs.get(value.removeprefix("/"))
            if known is None:
                return ArgumentMismatch((value,), value, kind)
            args.append(known.name)
        else:
            args.append(value)
    return Bound(tuple(args), tuple(names), tuple(kind for _, kind in filled))


def account(word: str, kind: str, resolver: Resolver) -> ResolvedName:
    """Who a word means where a person, a group or either is needed; an account of the wrong kind is a choice."""
    name = " ".join(filter(None, map(name_of, word.split())))
    if not name or (kind == "#GROUP" and not word.startswith("#")):
        return ResolvedName()
    found = resolver(name)
    wanted = "person" if kind == "PERSON" else "group" if "GROUP" in kind or fold_case(word).startswith("#") else None
    if wanted is None:
        return found
    right = tuple(each for each in found.exact if each.kind == wanted)
    return ResolvedName(right, found.near if right else (*found.exact, *found.near))


def _by_number(forms: Sequence[UsageForm], source: ArgumentWords) -> Fit:
    """For words that fill no usage line: a word of the wrong kind is a mismatch, else the number of words decides."""
    count = len(source)
    for form in forms:
        wrong = _wrong_kind(form, source)
        if wrong is not None:
            return wrong
    return TooFew() if count < min(form.fewest for form in forms) else TooMany()


def _wrong_kind(form: UsageForm, source: ArgumentWords) -> ArgumentMismatch | None:
    """A mismatch when each required place has one word, but one is of the wrong kind; literal words must match."""
    required = [piece for piece in form.pieces if not piece.optional] or [
        piece for piece in form.pieces[:1] if piece.shaped
    ]
    if len(required) != len(source) or source.more or not source:
        return None
    for at, piece in enumerate(required):
        taken = next((kind for count, _, kind in piece.takes(source, at) if count == 1), None)
        if taken is None:
            return (
                None
                if piece.literal or "#GROUP" in piece.kinds
                else ArgumentMismatch(source.all, source.all[at], piece.kinds[0])
            )
    return None
