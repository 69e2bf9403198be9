"""`critter push-keys`: the key is made once, readable by its owner alone, and from then on pushes are offered."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from critter.commands.push_keys import app
from gateway.settings import load
from tests.support.push_browsers import LIVE


def test_the_key_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**LIVE, "CRITTER_VAR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    assert "push" not in load().channels
    made = CliRunner().invoke(app)
    assert f"made {tmp_path / 'push_key'}. Its public half: B" in made.output
    key = (tmp_path / "push_key").read_text().strip()
    assert key not in made.output
    assert (tmp_path / "push_key").stat().st_mode & 0o777 == 0o600
    assert load().push_key == key
    again = CliRunner().invoke(app)
    assert "There is a key already." in again.output
    assert (tmp_path / "push_key").read_text().strip() == key
