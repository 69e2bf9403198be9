"""Every story in tests/conversations/ happens as it is written there."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.settings import Settings
from tests.support import scripted
from tests.support.heard_sentences import Ear

STORIES = sorted((Path(__file__).parents[1] / "conversations").glob("*.txt"))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_story(story: Path, engine: Engine, settings: Settings, ear: Ear, told: Path) -> None:
    scripted.play(story, engine, settings)
    ear.keep(told / f"{story.stem}.json")
