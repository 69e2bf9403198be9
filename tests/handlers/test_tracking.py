"""Every answer about tracked words fits one text, with the longest phrase that can be tracked, in both languages."""

import pytest

from gateway.language.track_phrases import LONGEST
from gateway.sms.fit import segments, thrifty
from tests.support.office import Office

LONG = "wwwwwww wwwwwww wwwwwwww wwwwwww wwwwwww"
SAID = (
    f'track "{LONG}"', f'track "{LONG}"', "track", f'untrack "{LONG}"', f'untrack "{LONG}"', "undo", "undo",
    f'untrack "{LONG * 2}"', f'track "{LONG} w"', "track w", "track", f'track "{LONG}"', "why",
)  # fmt: skip

ANSWERS = """
    SELECT m.text FROM messages m JOIN inbound i ON i.id = m.inbound_id JOIN accounts a ON a.id = i.account_id
    WHERE m.kind = 'answer' AND a.handle = 'sam'
"""


@pytest.mark.parametrize("language", ["en", "es"])
def test_answers_fit_one_text(office: Office, language: str) -> None:
    assert len(LONG) == LONGEST
    office.sql("UPDATE accounts SET language = :language WHERE handle = 'sam'", language=language)
    for words in SAID[:-1]:
        _say(office, "sam", words)
    _say(office, "bob", f"here is {LONG}")
    _say(office, "sam", SAID[-1])
    office.sql(
        """INSERT INTO posts (author_id, visibility, text, via)
           SELECT id, 'company', 'here is ' || :words, 'cli' FROM accounts, generate_series(1, 2000)
           WHERE handle = 'kim'""",
        words=LONG,
    )
    office.sql("DELETE FROM trackers")
    _say(office, "sam", f'track "{LONG}"')
    office.sql(
        """WITH made AS (INSERT INTO tracks (phrase, shown) SELECT word, word FROM (
               SELECT repeat('w', 36) || n AS word FROM generate_series(10, 59) n) AS words RETURNING id)
           INSERT INTO trackers (track_id, follower_id) SELECT made.id, a.id FROM made, accounts a
           WHERE a.handle = 'sam'"""
    )
    _say(office, "sam", "track last")
    _say(office, "sam", "track")
    answers = [str(row[0]) for row in office.sql(ANSWERS)]
    assert len(set(answers)) > 12
    assert [answer for answer in answers if segments(thrifty(answer))[1] > 1] == []
    refused = ("2,000", "is in") if language == "en" else ("2.000", "aparece en")
    assert any(all(part in answer for part in refused) for answer in answers)


def _say(office: Office, handle: str, words: str) -> None:
    office.says(handle, words)
    office.work()
