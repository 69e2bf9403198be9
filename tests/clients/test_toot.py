"""toot, a client for the command line. Its own words are looked at as little as possible: they change."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Browser
from tests.support.running_critter import Company

pytest.importorskip("toot")
PAGE = re.compile(r"^(http\S+/oauth/authorize\S+)$", re.MULTILINE)


class Terminal:
    """toot as one person has it, with settings of their own."""

    def __init__(self, folder: Path) -> None:
        self.environ = {**os.environ, "XDG_CONFIG_HOME": str(folder), "NO_COLOR": "1"}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-u", "-m", "toot", *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, env=self.environ, text=True, **pipes)  # type: ignore[call-overload, no-any-return]

    def log_in(self, url: str, handle: str) -> None:
        running = self.start("login", "--instance", url)
        said = ""
        while not PAGE.search(said):
            line = running.stdout.readline()
            assert line, said
            said += line
        code = Browser(url, handle).let_in(PAGE.search(said)[1])
        rest, _ = running.communicate(f"n\n{code}\n", timeout=60)
        assert running.returncode == 0, rest

    def toot(self, *arguments: str) -> str:
        running = self.start(*arguments)
        said, _ = running.communicate(timeout=60)
        assert running.returncode == 0, said
        return said

    def read(self, *arguments: str) -> Any:
        return json.loads(self.toot(*arguments, "--json"))


def test_logging_in_reading_posting_following_and_liking(critter: Company, url: str, tmp_path: Path) -> None:
    kim, sam = Terminal(tmp_path / "kim"), Terminal(tmp_path / "sam")
    kim.log_in(url, "kim")
    sam.log_in(url, "sam")
    assert "@kim" in kim.toot("whoami")
    said = kim.read("post", "The stairs are being painted")
    critter.wait(lambda: "stairs" in sam.toot("timeline", "--public", "--once"), "the update among everybody's", 30)
    assert "stairs" in kim.toot("timeline", "--once")
    answer = sam.read("post", "Which ones?", "--reply-to", said["id"])
    assert answer["in_reply_to_id"] == said["id"]
    sam.toot("favourite", said["id"])
    assert kim.read("status", said["id"])["favourites_count"] == 1
    assert "Which ones?" in kim.toot("thread", said["id"])
    sam.toot("follow", "anne")
    assert "anne" in sam.toot("following")
    sam.toot("unfollow", "anne")
    sam.toot("delete", answer["id"])
    assert "Which ones?" not in kim.toot("thread", said["id"])
