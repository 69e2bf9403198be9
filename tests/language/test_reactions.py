"""Reactions as iPhones and Androids send them, in several languages."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language.reactions.formats import ADDED, REMOVED
from gateway.language.reactions.reactions import reaction
from gateway.language.words.normalize import clean


@pytest.mark.parametrize(
    ("text", "what", "target"),
    [
        ('Liked "meeting at 5"', "like", "meeting at 5"),
        ("Loved \u201csee “you” there\u201d", "love", "see “you” there"),
        ("Laughed at \u201ca\nb\u201d", "laugh", "a\nb"),
        ("Emphasized “go”", "emphasize", "go"),
        ("Questioned “go”", "question", "go"),
        ("Disliked “go”", "dislike", "go"),
        ("Reacted 👍🏽 to “go”", "👍🏽", "go"),
        ("👍 to “go”", "👍", "go"),
        ("Gefällt „go“", "like", "go"),
        ("A aimé « go »", "like", "go"),
        ("Le gustó “go”", "like", "go"),
        ("Gostou de “go”", "like", "go"),
        ("👍", "👍", None),
        ("❤", "❤", None),
        ("❤️", "❤️", None),
        ("👩🏽\u200d💻", "👩🏽\u200d💻", None),
        ("🇩🇪", "🇩🇪", None),
        ("1️⃣", "1️⃣", None),
        ("ℹ️", "ℹ️", None),
    ],
)
def test_a_reaction(text, what, target):
    found = reaction(text)
    assert found is not None
    assert (found.what, found.text, found.lost) == (what, target, False)


@pytest.mark.parametrize("text", ["Loved an image", "Liked a photo", "Reacted 😂 to an image", "Liked 2 images"])
def test_a_reaction_to_an_image_is_lost(text):
    found = reaction(text)
    assert found is not None
    assert found.lost


def test_a_reaction_taken_back():
    found = reaction("Removed a heart from “go”")
    assert found is not None
    assert (found.what, found.removed) == ("love", True)


def forms():
    for table, removed in ((ADDED, False), (REMOVED, True)):
        for what, phrases in table.items():
            for line in phrases.splitlines():
                yield from ((form.strip(), what, removed) for form in line.split("|") if form.strip())


@pytest.mark.parametrize(("form", "what", "removed"), list(forms()))
def test_every_form_of_every_language(form, what, removed):
    for quoted in (
        "“see you at 6”",
        "„see you at 6“",
        "«\u00a0see you at 6\u00a0»",
        "‘see you at 6’",
        '"see you at 6"',
    ):
        found = reaction(form.replace("{e}", "🎉").replace("{}", quoted))
        assert found is not None
        assert (found.what, found.text, found.removed, found.lost) == (what or "🎉", "see you at 6", removed, False)


@pytest.mark.parametrize("form", [form for form, _, _ in forms() if not form.startswith("{}")])
def test_every_form_of_an_image_is_lost(form):
    found = reaction(form.replace("{e}", "🎉").replace("{}", "una foto"))
    assert found is not None
    assert found.lost


@pytest.mark.parametrize(
    "text",
    [
        "Gefällt ein Bild",
        "Einem Bild ein Herz hinzugefügt",
        "A aimé une pièce jointe",
        "Le encantó una imagen",
        "Riu de um vídeo",
        "Lachte om een afbeelding",
        "Ha aggiunto un cuoricino a un\u2019immagine",
        "Removed a heart from an audio message",
        "Emphasized 3 photos",
    ],
)
def test_images_in_every_language(text):
    found = reaction(text)
    assert found is not None
    assert found.lost


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Liked “a long one that was cut…”", "a long one that was cut…"),
        ("Liked “a long one that was cut...”", "a long one that was cut..."),
        ("Liked “a long one that was cut…", "a long one that was cut…"),
        ("A aimé « à demain ».", "à demain"),
        ('Liked "he said "hi" and left"', 'he said "hi" and left'),
        ('Liked "a 6" pipe"', 'a 6" pipe'),
        ("Liked 'I'm fine'", "I'm fine"),
        ("👍 to “it was removed” removed", "it was removed"),
        ("Vond ‘dat is leuk’ leuk", "dat is leuk"),
        ("Reacted 😂 to “\u200asee you\u200a”\u200a", "see you"),
    ],
)
def test_the_words_quoted(text, target):
    found = reaction(clean(text))
    assert found is not None
    assert found.text == target


HAIR, ON, OFF = "\u200a", "\u200b", "\u200c"


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        (f"{HAIR}Reacted {ON}👍{ON} to “{HAIR}see you{HAIR}”{HAIR}", False),
        (f"{HAIR}{ON}👍{ON} till ”{HAIR}see you{HAIR}”{HAIR}", False),
        (f"{HAIR}Tog bort {OFF}👍{OFF} från ”{HAIR}see you{HAIR}”{HAIR}", True),
        (f"{HAIR}Usunięto {OFF}👍{OFF} z „{HAIR}see you{HAIR}”{HAIR}", True),
        (f"{HAIR}Removed {OFF}👍{OFF} from “{HAIR}see you{HAIR}”{HAIR}", True),
    ],
)
def test_googles_unseen_characters_mark_a_reaction_in_any_language(text, removed):
    found = reaction(clean(text), text)
    assert found is not None
    assert (found.what, found.text, found.removed) == ("👍", "see you", removed)


@pytest.mark.parametrize(
    "text",
    [
        "Liked the meeting",
        "Liked your talk",
        "Loved it",
        'Loved the "new" office',
        'Loved "Dune" and "Alien"',
        "Loved “Dune” and “Alien”",
        'Liked "Dune" a lot',
        'Liked ""',
        'Liked "',
        'liked "the talk"',
        "Gefällt mir",
        "A new build is out",
        'Ha detto "ciao"',
        "Le train est en retard",
        "Removed the desk",
        'Removed the "old" desk',
        '"Reacted" is a word',
        "👍 great",
        "👍 to all of you",
        "👍👍",
        "1",
        "#",
        "",
    ],
)
def test_words_are_no_reaction(text):
    assert reaction(text, text) is None


@pytest.mark.parametrize(
    ("head", "more", "is_one"),
    [("Liked “", " ", False), ('Liked "', '" "', True), ("A réagi ", "A réagi ", False), ("👍 to ", "“", True)],
)
def test_a_long_text_is_read_once(head, more, is_one):
    """Eight times as long, about eight times the processor time: each piece is looked at once, and not once for each
    other piece, which would make it sixty-four times."""
    took = []
    for times in (25_000, 200_000):
        text = head + more * times
        found, each = timed(text)
        took.append(each)
        assert (found is not None) == is_one
    assert took[1] < 24 * took[0] + 0.02, took


def timed(text):
    """What it is read as, and the least processor time of three tries."""
    tries = []
    for _ in range(3):
        began = time.process_time()
        found = reaction(text, text)
        tries.append(time.process_time() - began)
    return found, min(tries)


heads = st.sampled_from([form.replace("{e}", "👍") for form, _, _ in forms()])
marks = st.sampled_from(["“{}”", '"{}"', "„{}“", "‘{}’", "«\u00a0{}\u00a0»", "{}", "“{}", "“{}…"])


@given(heads, marks, st.text(max_size=30))
def test_anything_can_be_quoted(form, mark, words):
    text = clean(form.replace("{}", mark.replace("{}", words)))
    found = reaction(text, text)
    assert found is None or found.lost or (found.text and found.text in text)
