"""Texts that a person means for a few, as thumbs, keyboards and phones really make them: strategies for the tests."""

from hypothesis import strategies as st

PEOPLE = ("kim", "pat", "dave")
GROUPS = ("sales", "acme", "board", "dispatch")
NAMES = (*PEOPLE, *GROUPS)
VERBS = ("d", "dm", "msg", "pm")
NEAR_VERBS = ("dd", "ddd", "dmm", "dms", "ddm", "mgs", "msgs", "mesg", "mssg", "pms", "pmm", "pn", "s", "x")
UNSEEN = ("\u200b", "\u200e", "\u200f", "\u202e", "\ufeff", "\u2060", "\u00ad")
BLANKS = (" ", "  ", "\t", "\n", "\n\n", "\u00a0", "\u3000", " \u200b ")
SECRETS = (
    "my salary is low",
    "margin 12%",
    "lunch?",
    "ok",
    "yes",
    "1",
    "POST",
    "follow sales",
    "on sales",
    "👍",
    "stop",
)
ENDINGS = ("", ".", "!", ":", ",", "...", ".:")
AROUND = (
    ("", ""),
    ("(", ")"),
    ("[", "]"),
    ("*", "*"),
    ("- ", ""),
    ("\u2013 ", ""),
    ("'", ""),
    ("\u2018", ""),
    (">", ""),
)
GLUE = ("", "-", ".", ",", ":", "/", "_", "\u2014", "@", ":@", "'", "\u2019", "+", "#")


def wide(word: str) -> str:
    """The same in full-width letters, as a Japanese keyboard writes it."""
    return "".join(chr(ord(each) + 0xFEE0) if each.isascii() and each.isalnum() else each for each in word)


cases = st.sampled_from([str.lower, str.upper, str.title, str.swapcase, wide])


def shown(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A word in any case, with invisible characters before, in and after it."""
    return st.builds(
        lambda word, case, unseen, at: case(word)[:at] + unseen + case(word)[at:],
        words,
        cases,
        st.sampled_from(["", "", "", *UNSEEN]),
        st.integers(0, 4),
    )


@st.composite
def slips(draw: st.DrawFn) -> str:
    """A real name with one or two letters lost, doubled, swapped or wrong."""
    word = draw(st.sampled_from(NAMES))
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(word) - 1))
        kind, letter = draw(st.sampled_from(["lost", "doubled", "swapped", "wrong"])), draw(st.sampled_from("aeimnrst"))
        word = {
            "lost": word[:at] + word[at + 1 :],
            "doubled": word[:at] + word[at] + word[at:],
            "swapped": word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            "wrong": word[:at] + letter + word[at + 1 :],
        }[kind] or "q"
    return word


verbs = shown(st.sampled_from(VERBS))
near_verbs = shown(st.sampled_from(NEAR_VERBS))
names = shown(st.sampled_from(NAMES))
marked = st.builds(lambda mark, name: mark + name, st.sampled_from(["", "", "@", "#", '"', "\u201c", "("]), names)
anyone = st.one_of(
    marked, slips(), st.sampled_from(["nobody", "me", "at", "5", "\u00e9ric", "\u9648", "sam", "\U0001f600"])
)
lists = st.lists(anyone, min_size=1, max_size=4).flatmap(
    lambda people: st.sampled_from([",", ", ", ";", "; ", ",,"]).map(lambda comma: comma.join(people))
)
blanks = st.sampled_from(BLANKS)
secrets = st.one_of(
    st.sampled_from(SECRETS),
    st.text(max_size=40),
    st.builds(lambda words, more: words + "\n" + more, st.sampled_from(SECRETS), st.text(max_size=200)),
    st.sampled_from(SECRETS).map(lambda words: words * 30),
)

written = st.builds(
    lambda slash, verb, ending, blank, people, gap, secret: slash + verb + ending + blank + people + gap + secret,
    st.sampled_from(["", "", "", "/", "/ "]), verbs, st.sampled_from(ENDINGS), blanks, lists, blanks, secrets,
)  # fmt: skip
slipped = st.builds(
    lambda verb, ending, blank, name, gap, secret: verb + ending + blank + name + gap + secret,
    near_verbs, st.sampled_from(ENDINGS), blanks, names, blanks, secrets,
)  # fmt: skip
wrapped = st.builds(
    lambda around, verb, name, secret: f"{around[0]}{verb}{around[1]} {name} {secret}",
    st.sampled_from(AROUND), verbs, names, secrets,
)  # fmt: skip
glued = st.builds(
    lambda verb, glue, name, blank, secret: verb + glue + name + blank + secret,
    verbs, st.sampled_from(GLUE), names, blanks, secrets,
)  # fmt: skip
bare = st.one_of(verbs, st.builds(lambda verb, people: f"{verb} {people}", verbs, lists))
private = st.one_of(written, slipped, wrapped, glued, bare)
