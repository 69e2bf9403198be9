"""Every story in tests/conversations/ happens as it is written there."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.settings import Settings
from tests.support import conversation_player
from tests.support.answer_recorder import Ear

STORIES = sorted((Path(__file__).parents[1] / "conversations").glob("*.txt"))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_story(story: Path, engine: Engine, settings: Settings, ear: Ear, told: Path) -> None:
    conversation_player.play(story, engine, settings)
    ear.keep(told / f"{story.stem}.json")
