"""Who tells of what was stored: at once, together when there is much, and the last of it before the end."""

import threading

from gateway.ledger.commit.commit_notifier import CommitNotifier


def test_what_is_owed_at_the_end_is_told():
    told = []
    for _ in range(20):
        first = threading.Event()
        herald = CommitNotifier("told", lambda first=first: (told.append(1), first.set()))
        herald.owe()
        assert first.wait(5)
        herald.owe()
        herald.close()
    assert len(told) == 40


def test_a_failure_is_not_the_last_word():
    told = threading.Event()
    calls = []

    def tell() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError
        told.set()

    herald = CommitNotifier("told", tell)
    herald.owe()
    while not calls:
        threading.Event().wait(0.001)
    herald.owe()
    assert told.wait(5)
    herald.close()
