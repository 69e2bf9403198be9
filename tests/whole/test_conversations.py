"""Every story in tests/conversations/ happens as it is written there."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.settings import Settings
from tests.support import conversation_player
from tests.support.answer_recorder import AnswerRecorder

STORIES = sorted((Path(__file__).parents[1] / "conversations").glob("*.txt"))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_story(story: Path, engine: Engine, settings: Settings, recorder: AnswerRecorder, answers_folder: Path) -> None:
    conversation_player.play(story, engine, settings)
    recorder.keep(answers_folder / f"{story.stem}.json")
