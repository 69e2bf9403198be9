"""Which Critter this is: as installed, or as the checkout that it runs from says."""

import tomllib
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def version() -> str:
    if PROJECT.exists():  # a checkout: what may be installed beside it is older
        return str(tomllib.loads(PROJECT.read_text())["project"]["version"])
    return metadata.version("critter")
