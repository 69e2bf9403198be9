"""Recognises mistyped verbs: a letter added, missing or wrong, or two letters swapped. everyday_commands.py asks."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

SHORTEST: Final = 3  # almost every short word is one letter away from "on" or "rt"

# English and Spanish words that are one letter away from a verb, and begin sentences.
_WORDS = """
ad adds age aid air al all and any apt are ark art arts as ash ask asks at ate bat bet bit black blocks bock bog bone
bus but by came can cast cat check clock close cone connects cost cover crop cut dad date day dec did die do doc dog
done drops due dug each east ela even far fast fellow few fly for fun fur game games gas gem gets go god gone good got
guest had hat have he hello help her here hers hey hi hike him his hold hole hollow home hone hook hop hot hour how i if
im in inn invited invites is it its jet john joins joint judge just knew lane lang lasts late lead leaf least leaves led
left leg let lets lie life light liked likes limits line link links list lists live lived lives lock log logic lone long
look loose lost lot love made make mark mask may mean meet men met mind mine mo mom moo mood moon moor mop most mouth
move moved much mum must mute my nail near need net news next nine no none nor not note now nut odd of offer offs oh old
one ones only open opt or other our out over own ozone pair pal park parks parts party pass past path pay per pet play
plus point port post prefers put quite rain rat read ready red refer remote repeats replay reply report reports resort
ring road row run sad said same sat saw say sea see self sell send sent set she should shut sign since sit site so soft
some son soon south sport stage start starts stat state states stay step still store sub such suit sun sure take talk
task tell ten than that the them then there they this those time times to told tone too took top track tracks truck try
two unit up us use via view was way we week well went were wet what when where while whole whom whose why will win wish
with woe won wood work yes yet you your zones zoo
al casi como con cada de del deja dejo el ella en era es esta este esto fue ha hay la las le les lo los mas más me mi
mis muy nada no nos nuevo para pero por que quien se ser si sin su sus tu tus un una ver vez voy ya yo
"""
ORDINARY: Final = frozenset(_WORDS.split())


def intended_verb(word: str, verbs: Mapping[str, object]) -> str | None:
    """The verb from which a mistyped word is one letter away; None for verbs and ordinary words."""
    if word in verbs or word in ORDINARY or not word.isalpha():
        return None
    near = _index(tuple(verbs))
    found = {verb for variant in _shortened(word) for verb in near.get(variant, ()) if _one_apart(word, verb)}
    return min(found, key=lambda verb: (verb[0] != word[0], len(verb) != len(word), verb)) if found else None


@lru_cache(maxsize=8)
def _index(verbs: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Lists every verb under itself and under each form that lacks one letter."""
    found: dict[str, list[str]] = {}
    for verb in verbs:
        if len(verb) >= SHORTEST and verb.isalpha():
            for variant in set(_shortened(verb)):
                found.setdefault(variant, []).append(verb)
    return found


def _shortened(word: str) -> Iterator[str]:
    yield word
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]


def _one_apart(one: str, other: str) -> bool:
    """Whether the words are one edit apart; swapping two neighbouring letters is one edit."""
    if abs(len(one) - len(other)) > 1:
        return False
    if len(one) != len(other):
        shorter, longer = sorted((one, other), key=len)
        return shorter in _without_one(longer)
    apart = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(apart) == 2 and apart[1] == apart[0] + 1:
        first, second = apart
        return one[first] == other[second] and one[second] == other[first]
    return len(apart) == 1


def _without_one(word: str) -> Iterable[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))
