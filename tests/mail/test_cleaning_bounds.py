"""Cleaning a mail has bounds: of time and memory for the worst, and a median over the corpus. Four times the figures
are allowed, for busy machines; `bench/cleaning.py` measures them."""

import contextlib
import statistics
import time
import tracemalloc
from pathlib import Path

import pytest

from gateway.errors import Refused
from gateway.mail.parse.own_words import read_own_words
from tests.support.hostile_mails import MAILS

SECONDS = 4.0
MEGABYTES = 50
MEDIAN_MILLISECONDS = 12.0
CORPUS = Path(__file__).parents[1] / "mails"
LARGE = ("10 MiB of base64 text", "10 MiB in one line", "an endless subject")
REFUSED = ("10,000 parts", "10,000 levels")


@pytest.mark.parametrize("name", MAILS)
def test_the_worst_mail_is_cleaned_in_time(name):
    raw = MAILS[name]()
    start = time.process_time()
    with pytest.raises(Refused, match="too many parts") if name in REFUSED else contextlib.nullcontext():
        read_own_words(raw)
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("name", LARGE)
def test_the_worst_mail_takes_little_memory(name):
    raw = MAILS[name]()
    tracemalloc.start()
    try:
        read_own_words(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEGABYTES * 1_000_000


def test_an_ordinary_mail_is_cleaned_at_once():
    took = []
    for path in CORPUS.glob("*.eml"):
        raw = path.read_bytes()
        start = time.process_time()
        read_own_words(raw)
        took.append(time.process_time() - start)
    assert statistics.median(took) * 1000 < MEDIAN_MILLISECONDS
