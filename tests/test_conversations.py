"""Every story in tests/conversations/ happens as it is written there."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.settings import Settings
from tests import scripted

STORIES = sorted((Path(__file__).parent / "conversations").glob("*.txt"))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_story(story: Path, engine: Engine, settings: Settings) -> None:
    scripted.play(story, engine, settings)
