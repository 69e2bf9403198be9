"""What a run of the tests promises: one that waits for ever ends alone and by name, also in a script's background."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.running_critter import ROOT

INNER = """
import signal, subprocess, sys, time

def test_waits_for_ever():
    time.sleep(600)

def test_comes_after_it():
    asked = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout == "True\\n"
"""


def test_who_waits_for_ever_ends_alone_and_its_children_hear_ctrl_c(tmp_path: Path) -> None:
    """As in `nohup make test &`: a shell ignores SIGINT there, and each child would inherit that."""
    (tmp_path / "test_inner.py").write_text(INNER)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "--timeout=0.5", "-o", "addopts=",
               "-rA", "--rootdir", str(tmp_path), str(tmp_path)]  # fmt: skip
    ran = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )  # fmt: skip
    assert "Failed: Timeout (>0.5s)" in ran.stdout, ran.stdout + ran.stderr
    assert re.search(r"^FAILED \S+::test_waits_for_ever", ran.stdout, re.MULTILINE)
    assert re.search(r"^PASSED \S+::test_comes_after_it", ran.stdout, re.MULTILINE)


def test_every_test_has_a_limit(request: pytest.FixtureRequest) -> None:
    assert 0 < float(request.config.getini("timeout")) <= 120
