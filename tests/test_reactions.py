"""Reactions as iPhones and Androids send them, in several languages."""

import pytest

from gateway.language.reactions import reaction


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


@pytest.mark.parametrize(
    "text", ["Liked the meeting", "Loved it", "👍 great", "👍👍", "1", "#", "Removed the desk", ""]
)
def test_words_are_no_reaction(text):
    assert reaction(text) is None
