"""Group commit: what comes in together is stored together, and what nobody waits for may wait for others."""

from gateway.ledger.commit.group_commit import ENOUGH, GroupCommitter

LONG = 60.0  # seconds, more than a test has patience for


def committer(groups: list[list[int]], breath: float) -> GroupCommitter[int]:
    return GroupCommitter("test", groups.append, lambda: None, breath)


def test_a_first_row_waits_for_others() -> None:
    groups: list[list[int]] = []
    made = committer(groups, 0.5)
    for each in [made.submit(number) for number in range(3)]:
        each.result(10)
    made.close()
    assert groups == [[0, 1, 2]]


def test_when_enough_wait_none_does() -> None:
    groups: list[list[int]] = []
    made = committer(groups, LONG)
    for each in [made.submit(number) for number in range(ENOUGH)]:
        each.result(10)
    made.close()
    assert [number for group in groups for number in group] == list(range(ENOUGH))


def test_what_waits_is_stored_at_the_end() -> None:
    groups: list[list[int]] = []
    made = committer(groups, LONG)
    handed = made.submit(1)
    made.close()
    assert handed.done()
    assert groups == [[1]]
