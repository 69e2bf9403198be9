"""track: what looking for tracked words adds to an update, with 100,000 trackers of 2,000 people: the phrases of
updates of 6 to 30 words and the one look-up of them, beside a connection that is open. The limit is 3 ms at p99.
"""

from __future__ import annotations

import random
import statistics
import time
from typing import Final

from sqlalchemy.orm import Session

from bench.company import Company, company
from bench.processor_time import since, spent
from bench.result import Result
from gateway.language.track_phrases import phrases
from gateway.network.follows import trackers

PEOPLE, EACH = 2_000, 50
WORDS: Final = 20_000  # of the language, of which the n-th is said 1/n as often as the first
COMMON: Final = 200  # nobody may track these: too many updates have them
TEXTS = 1_000  # in a round
ROUNDS = 3
P99, PROCESSOR = 3.0, 2.0  # milliseconds

TRACKED = """
    WITH people AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 't' || n, 'Tracker ' || n FROM generate_series(1, CAST(:people AS int)) n RETURNING id
    ), numbered AS (
        SELECT id, row_number() OVER () - 1 AS n FROM people
    ), given AS (
        SELECT phrase, place - 1 AS place FROM unnest(CAST(:phrases AS text[])) WITH ORDINALITY AS one (phrase, place)
    ), made AS (
        INSERT INTO tracks (phrase, shown) SELECT DISTINCT phrase, phrase FROM given RETURNING id, phrase
    )
    INSERT INTO trackers (track_id, follower_id, by_text)
    SELECT made.id, numbered.id, true FROM given JOIN made USING (phrase) JOIN numbered ON numbered.n = place / :each
    ON CONFLICT DO NOTHING
"""


class Speech:
    """Words as people say them: a few of them often, most of them seldom."""

    def __init__(self) -> None:
        self.dice = random.Random(14)
        self._words = [f"word{number}" for number in range(WORDS)]
        self._often = [1 / (number + 1) for number in range(WORDS)]

    def update(self) -> str:
        return " ".join(self.dice.choices(self._words, self._often, k=self.dice.randint(6, 30)))

    def tracked(self) -> str:
        """One to three words, none of them a common one alone."""
        rare = self._words[self.dice.randrange(COMMON, WORDS)]
        return " ".join([rare, *self.dice.choices(self._words, self._often, k=self.dice.choice((0, 0, 1, 2)))])


def measure() -> list[Result]:
    """The first round warms up; the median of the others counts."""
    speech = Speech()
    with company() as place:
        place.run(TRACKED, people=PEOPLE, each=EACH, phrases=[speech.tracked() for _ in range(PEOPLE * EACH)])
        place.analyze()
        rounds = [_round(place, [speech.update() for _ in range(TEXTS)]) for _ in range(ROUNDS + 1)][1:]
    p50, p99, processor, hits = (statistics.median(each[at] for each in rounds) for at in range(4))
    short = f"p50 {p50:.2f} ms; {hits:.2f} tracked phrases in an update."
    return [
        Result("track with 100,000 trackers, added to one update, p99", p99, "ms", "limit", P99, 1, short, lower=True),
        Result("track, processor time added to one update", processor, "ms", "limit", PROCESSOR, 1, short, lower=True),
    ]


def _round(place: Company, updates: list[str]) -> tuple[float, float, float, float]:
    """p50 and p99 in milliseconds; milliseconds of processor time, ours and PostgreSQL's; hits of an update."""
    took, hits = [], 0
    with Session(place.engine) as session:
        before, began = spent(place), time.thread_time()
        for words in updates:
            start = time.perf_counter()
            hits += len(trackers.heard(session, 0, words))
            took.append(1000 * (time.perf_counter() - start))
        own, servers = time.thread_time() - began, since(before, spent(place)).get("postgresql", 0.0)
    took.sort()
    return took[len(took) // 2], took[len(took) * 99 // 100], 1000 * (own + servers) / len(updates), hits / len(updates)


if __name__ == "__main__":
    example = Speech().update()
    print(f"{len(phrases(example))} phrases in {len(example.split())} words")
    for result in measure():
        print(result.row(), result.short)
