"""Apps are told the version that pyproject.toml says."""

import tomllib
from pathlib import Path

from gateway.version import VERSION


def test_there_is_one_version() -> None:
    written = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert written["project"]["version"] == VERSION
