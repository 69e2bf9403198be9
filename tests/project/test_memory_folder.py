"""The folder in memory that the test servers work in: it is gone afterwards, also after a test process was killed."""

import shutil
from pathlib import Path

import pytest

from tests.support import memory_folder
from tests.support.memory_folder import new_folder


@pytest.fixture(autouse=True)
def _memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_folder, "MEMORY", tmp_path)
    monkeypatch.setattr(memory_folder, "WANTED", 0)


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    with memory_folder.memory_folder(Path("elsewhere")) as folder:
        assert folder.parent == tmp_path
        assert new_folder(folder) != new_folder(folder)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with memory_folder.memory_folder(Path("elsewhere")) as left:
        killed = tmp_path / f"{memory_folder.NAME}killed"
        shutil.copytree(left, killed)
        with memory_folder.memory_folder(Path("elsewhere")):
            assert left.exists(), "somebody works in it"
            assert not killed.exists()


def test_scarce_memory_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_folder, "WANTED", 10**18)
    with memory_folder.memory_folder(Path("elsewhere")) as folder:
        assert folder == Path("elsewhere")
    assert list(tmp_path.iterdir()) == []
