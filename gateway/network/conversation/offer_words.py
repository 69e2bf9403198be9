"""What an update asks about, and in which words its author is made an offer and others are asked (offers.py)."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.i18n.phrases import Phrase, joined, languages, listed, say, translated
from gateway.language import nanoformats
from gateway.language.track_phrases import tokens
from gateway.network.posts import author_search
from gateway.network.posts.author_search import FoundAuthor
from gateway.sms.fit import segments, thrifty
from gateway.store.tables import Account, Post

QUESTION_MARKS: Final = ("?", "\uff1f", "\u061f", "\u037e")
FEWEST, MOST = 2, 40  # people who wrote about a word: with more, it says nothing about whom to ask
RAREST: Final = 3  # words, besides the tags
MOST_WORDS: Final = 20  # of an update, that are looked at
SHORTEST, LONGEST = 3, 20  # characters of a word


def asks(words: str) -> bool:
    return words.rstrip(" \"'\u201d\u2019)!").endswith(QUESTION_MARKS)


def find_topics(session: Session, post: Post, author: Account) -> Iterator[tuple[str, Sequence[FoundAuthor]]]:
    """What the update is about and who wrote about that: its tags, then its three rarest words."""
    found = nanoformats.parse(post.text)
    for tag in found.tags:
        if people := _people(session, author, f"#{tag}"):
            yield f"#{tag}", people
    words = [(word, _people(session, author, word)) for word in _words(session, post, author, found)]
    known = [(word, people) for word, people in words if people]
    for word, people in sorted(known, key=lambda each: len(each[1]))[:RAREST]:
        yield _as_written(word, post.text), people


def _people(session: Session, author: Account, topic: str) -> Sequence[FoundAuthor] | None:
    people = author_search.find_authors(session, author, topic, MOST + 1)
    return people if people and FEWEST <= len(people) <= MOST else None


def _words(session: Session, post: Post, author: Account, found: nanoformats.Nanoformats) -> Sequence[str]:
    """The words that may say something: not those that a language has in every sentence, no names of people."""
    named = {*found.tags, *found.mentions}
    words = [word.removesuffix("'s") for word in tokens(post.text)]
    usable = (word for word in words if SHORTEST <= len(word) <= LONGEST and word not in named and not word.isdigit())
    first = list(dict.fromkeys(usable))[:MOST_WORDS]
    return session.scalars(SAYING, {"words": first, "language": post.lang or author.language}).all()


SAYING: Final = text("""
    SELECT word FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS one (word, place)
    WHERE numnode(phraseto_tsquery(search_config(:language), search_words(word))) > 0 ORDER BY place
""")


def _as_written(word: str, words: str) -> str:
    """ACME, as its author wrote it; else the word as it was looked for."""
    match = re.search(rf"\b{re.escape(word)}\b", words, re.IGNORECASE)
    return match.group() if match else word


def describe_offer(word: str, found: Sequence[FoundAuthor], fewest: int) -> tuple[Phrase, Sequence[FoundAuthor]]:
    """The offer in one text, and whom it names: with how many updates each wrote, else without, else fewer people. Only
    who is named is asked."""
    tries = [
        (_offer(word, found[:number], counted=counted), found[:number])
        for number in range(len(found), fewest - 1, -1)
        for counted in (True, False)
    ]
    return next((each for each in tries if _fits(each[0])), tries[-1])


def _offer(word: str, people: Sequence[FoundAuthor], *, counted: bool) -> Phrase:
    names = [f"{person.name} ({person.posts})" if counted else person.name for person in people]
    wrote = say("{number} people wrote about {word}: {names}.", number=len(people), word=word, names=listed(names))
    return joined([wrote, say("Reply 1 to ask them privately. To end offers: CONNECT OFF")])


def _fits(words: Phrase) -> bool:
    return all(segments(thrifty(translated(words, language)))[1] == 1 for language in languages())


def describe_question(name: str, word: str, question: str) -> tuple[Phrase, Phrase]:
    """The private question as a text and as a mail: why its reader is asked, and how such questions end."""
    why = say("{name} asks you, because you wrote about {word}:", name=name, word=word)
    how = say("To answer privately: R text. To end such questions: CONNECT OFF")
    by_mail = say("{name} asks you privately, because you wrote about {word}.", name=name, word=word)
    ends = say("To answer, reply to this mail. To end such questions: CONNECT OFF")
    return joined([why, question, how]), joined([question, joined([by_mail, ends])], "\n\n")
