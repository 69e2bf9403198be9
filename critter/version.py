"""The version of Critter: as installed, or according to the checkout that it runs from."""

import tomllib
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def version() -> str:
    if PROJECT.exists():  # a checkout: an installed one beside it is older
        return str(tomllib.loads(PROJECT.read_text())["project"]["version"])
    return metadata.version("critter")
