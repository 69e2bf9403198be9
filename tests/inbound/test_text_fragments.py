"""Marked parts in every order: one text, in its order, as private as part 1; nothing before part 1, nothing lost."""

import random
from itertools import permutations, product

import pytest

from gateway.language.fragments.part_marks import TextPart
from gateway.language.fragments.reassembly import place_part
from gateway.language.grammar import read
from gateway.language.model.reading import Context, PendingFragment
from tests.support.examples import each
from tests.support.language_table import VERBS, resolver
from tests.support.office import Office

WORDS = ["the van is late", "so keep the gate open", "until half past nine", "and tell nobody else", "but the driver"]
ORDERS = [order for total in range(2, 6) for order in permutations(range(1, total + 1))]
# How part 1 begins, and then what the whole text must be.
BEGINNINGS = {"d sam ": "direct", "": "company", "#acme ": "group", "@sam ": "company"}
MARKS = ("({}/{}) ", "{} of {}: ", "part {}/{} ")


def say_parts(office: Office, order: tuple[int, ...], beginning: str, mark: str = MARKS[0], who: str = "kim") -> None:
    for number in order:
        words = (beginning if number == 1 else "") + WORDS[number - 1]
        office.says(who, mark.format(number, len(order)) + words)
        office.read()


def posts(office: Office) -> list[tuple[str, str]]:
    return [(str(row[0]), str(row[1])) for row in office.sql("SELECT visibility, text FROM posts ORDER BY id")]


def kept(office: Office) -> list[str]:
    return sorted(str(row[0]) for row in office.sql("SELECT text FROM drafts WHERE expires_at > now()"))


def open_questions(office: Office) -> int:
    return int(str(office.sql("SELECT count(*) FROM conversations WHERE question IS NOT NULL")[0][0]))


def orders(total: int, most: int) -> list[tuple[int, ...]]:
    """All of them, or some of many: each is some texts against the database."""
    every = list(permutations(range(1, total + 1)))
    return every if len(every) <= most else random.Random(total).sample(every, most)


# Five is no divisor of how many there are: each beginning comes in orders of every length.
@pytest.mark.repeats
@pytest.mark.parametrize(
    ("beginning", "order"),
    each(5, list(product(BEGINNINGS, (order for total in range(2, 6) for order in orders(total, 8))))),
    ids=lambda given: str(given).strip() or "update",
)
def test_in_any_order_it_is_one_text(office, beginning, order):
    total = len(order)
    for at, number in enumerate(order):
        words = (beginning if number == 1 else "") + WORDS[number - 1]
        office.says("kim", MARKS[at % len(MARKS)].format(number, total) + words)
        office.read()
        if 1 not in order[: at + 1]:
            assert posts(office) == []
    start = "@sam " if beginning == "@sam " else ""
    assert posts(office) == [(BEGINNINGS[beginning], start + " ".join(WORDS[:total]))]
    assert (kept(office), open_questions(office)) == ([], 0)
    assert office.sql("SELECT count(*) FROM conversations WHERE half IS NOT NULL")[0][0] == 0


def test_parts_of_two_texts_are_never_mixed(office):
    """Two texts of as many parts: nobody can tell whose part 2 is, so it is kept and asked about."""
    for words in ("(1/3) d sam one", "(1/3) #acme two", "(2/3) secret", "(3/3) and more"):
        office.says("kim", words)
        office.read()
    assert posts(office) == [("direct", "one"), ("group", "two")]
    assert kept(office) == ["and more", "secret"]


@pytest.mark.parametrize("again", [1, 2])
def test_a_part_that_comes_twice_is_not_public(office, again):
    for number in (1, 2):
        office.says("kim", f"({number}/3) {'d sam ' if number == 1 else ''}{WORDS[number - 1]}")
        office.read()
    office.says("kim", f"({again}/3) {'d sam ' if again == 1 else ''}{WORDS[again - 1]}")
    office.says("kim", f"(3/3) {WORDS[2]}")
    office.read()
    assert all(visibility == "direct" for visibility, _ in posts(office))


def test_what_was_decided_about_is_not_joined(office):
    """Its writer deleted part 2 before part 1 came."""
    office.says("kim", f"(2/2) {WORDS[1]}")
    office.read()
    office.says("kim", "DROP")
    office.read()
    office.says("kim", f"(1/2) d sam {WORDS[0]}")
    office.read()
    assert posts(office) == [("direct", WORDS[0])]


def test_a_command_takes_no_part_with_it(office):
    office.says("kim", "(2/2) my salary")
    office.read()
    office.says("kim", "(1/2) follow sales")
    office.read()
    assert (posts(office), kept(office)) == ([], ["my salary"])


def test_another_question_stays_open(office):
    """Only the question about the part ends when the part is joined."""
    office.says("kim", "d zzyzx hello there")
    office.read()
    office.says("kim", f"(2/2) {WORDS[1]}")
    office.read()
    office.says("kim", f"(1/2) d sam {WORDS[0]}")
    office.read()
    assert kept(office) == ["d zzyzx hello there"]
    assert open_questions(office) == 1
    answer = str(office.sql("SELECT text FROM messages WHERE kind = 'answer' ORDER BY id DESC LIMIT 1")[0][0])
    assert "Still open" in answer


def test_a_private_name_split_between_parts_is_never_public(office):
    """Part 1 alone is no private text: with part 2 it is, whichever comes first."""
    for order in permutations((1, 2)):
        for number in order:
            office.says("kim", {1: "(1/2) message", 2: "(2/2) sam: my salary is cut"}[number])
            office.read()
    assert all("salary" not in text or visibility == "direct" for visibility, text in posts(office))


def test_the_pure_order():
    """No part is lost, and none is read before part 1."""
    for order in ORDERS:
        half, read_parts = None, 0
        for at, number in enumerate(order):
            found = place_part(half, TextPart(number, len(order), WORDS[number - 1]))
            assert found.kind != "unclear"
            assert (found.kind == "early") == (not set(range(1, number)) <= set(order[:at]))
            read_parts += found.words.count(WORDS[number - 1]) if found.kind != "early" else 0
            joinable = {"held": "x"} if found.missing > 1 else {}
            half = PendingFragment(total=len(order), missing=found.missing, parts=found.parts, **joinable)
        assert half is not None
        assert half.missing == len(order) + 1


def test_a_bare_mark_counts_only_while_parts_are_awaited():
    half = PendingFragment(held="d zzyzx hi", total=2, missing=2, parts={1: "d zzyzx hi"})
    assert read("2/2 of it", "sms", VERBS, resolver, Context(half=half)).intent == "ask"
    assert read("1/2 of the crates are here", "sms", VERBS, resolver, Context()).intent == "update"
