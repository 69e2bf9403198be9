"""An urgent call that Dana sends to the drivers of dispatch: Bob has a phone, Anne and Pat a phone and a mailbox, Dave
a mailbox alone."""

import re

from tests.support.desk import Desk

DRIVERS = ("anne", "bob", "dave", "pat")
WORDS = "gate 4 is closed, use gate 2"
CALL = f"URGENT Dana Wu #dispatch: {WORDS} Reply OK"
JOIN = """
    INSERT INTO follows (follower_id, account_id, role, by_text)
    SELECT p.id, g.id, 'follower', false FROM accounts p, accounts g
    WHERE p.handle IN ('anne', 'pat', 'dave') AND g.handle = 'dispatch' ON CONFLICT DO NOTHING
"""
MAY = "UPDATE accounts SET may_urge = true WHERE handle = 'dispatch'"
# Some minutes pass for the calls; nothing else gets older.
PASS = (
    """UPDATE calls SET created_at = created_at - CAST(:span AS interval), next_at = next_at - CAST(:span AS interval),
       ends_at = ends_at - CAST(:span AS interval) WHERE ended_at IS NULL AND next_at < '2999-01-01'""",
    """UPDATE call_people SET next_at = next_at - CAST(:span AS interval),
       answered_at = answered_at - CAST(:span AS interval) WHERE next_at < '2999-01-01' OR answered_at IS NOT NULL""",
)
STATES = """
    SELECT a.handle, p.step, p.answered_at IS NOT NULL, p.next_at IS NOT NULL, p.gone
    FROM call_people p JOIN accounts a ON a.id = p.account_id ORDER BY a.handle
"""


def staff(desk: Desk) -> None:
    desk.office.sql(JOIN)
    desk.office.sql(MAY)


def send(desk: Desk, words: str = WORDS, *, work: bool = True) -> str:
    """Dana's call, proved by the code; the answer. Without `work` nothing is sent but what was queued before."""
    desk.says("dana", f"urgent #dispatch {words}")
    [asked] = desk.heard("dana")
    code = re.findall(r"\b\d{6}\b", asked)[-1]
    if not work:
        desk.office.says("dana", code)
        desk.office.read()
        return ""
    desk.says("dana", code)
    [answer] = desk.heard("dana")
    return answer


def begun(desk: Desk, words: str = WORDS) -> None:
    """The call has reached everybody, and nobody has answered."""
    staff(desk)
    send(desk, words)
    forget(desk)


def forget(desk: Desk) -> None:
    """What was heard until now is read."""
    desk.texts.taken, desk.mails.taken = [], []


def later(desk: Desk, minutes: int, *, work: bool = True) -> None:
    for statement in PASS:
        desk.office.sql(statement, span=f"{minutes} minutes")
    if work:
        desk.work()


def states(desk: Desk) -> dict[str, tuple[object, ...]]:
    """By handle: the step, whether they have answered, whether a step is due, why nobody waits for them."""
    return {str(row[0]): tuple(row[1:]) for row in desk.office.sql(STATES)}


def ending(desk: Desk) -> object:
    return desk.office.sql("SELECT ending FROM calls ORDER BY post_id DESC LIMIT 1")[0][0]
