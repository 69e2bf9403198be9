"""who-about: finding who wrote about a word, among 100,000 updates of 2,000 people, of which 10, 390 or 7,000 have it,
at the client; and what making an update searchable costs its insert.
"""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.company import Company, company
from bench.processor_time import since, spent
from bench.result import Result
from bench.tracking import Speech
from gateway.network.posts import author_search
from gateway.store.database import connect
from gateway.store.tables import Account

PEOPLE, POSTS, BATCH = 2_000, 100_000, 5_000
HITS: Final = {10: 5.0, 390: 8.0, 7_000: 40.0}  # posts that have the word: milliseconds of processor time allowed
ASKED = 200  # times for each word
INSERTED, ROUNDS = 2_000, 3
PROCESSOR: Final = 0.17  # milliseconds of processor time that an update may cost more

WRITE: Final = """
    INSERT INTO posts (author_id, visibility, text, via)
    SELECT author.id, 'company', said.words, 'sms'
    FROM unnest(CAST(:texts AS text[])) WITH ORDINALITY AS said (words, place)
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM accounts) AS author
      ON author.place = said.place % :people + 1
"""
PEOPLE_MADE: Final = """
    INSERT INTO accounts (kind, handle, name)
    SELECT 'person', 'p' || n, 'Person ' || n FROM generate_series(1, CAST(:people AS int)) n
"""
ONE: Final = text("INSERT INTO posts (author_id, visibility, text, via) VALUES (:author, 'company', :words, 'sms')")


def measure() -> list[Result]:
    speech = Speech()
    with company() as place:
        place.run(PEOPLE_MADE, people=PEOPLE)
        for start in range(0, POSTS, BATCH):
            texts = [f"{speech.update()} {_marks(number)}" for number in range(start, start + BATCH)]
            place.run(WRITE, texts=texts, people=PEOPLE)
        place.analyze()
        asked = [_ask(place, hits, most) for hits, most in HITS.items()]
        return [*asked, _insert(place, speech)]


def _marks(number: int) -> str:
    """The words of which some posts have each."""
    return " ".join(
        f"mark{hits}" for hits in HITS if number % (POSTS // hits) == 0 and number // (POSTS // hits) < hits
    )


def _ask(place: Company, hits: int, most: float) -> Result:
    """Processor time, ours and PostgreSQL's: seconds depend on who else uses the machine."""
    engine = connect(place.settings.database_url, by_key=True)
    took = []
    with Session(engine) as session:
        asker = session.get_one(Account, place.scalar("SELECT min(id) FROM accounts"))
        before, began = spent(place), time.thread_time()
        for _ in range(ASKED):
            start = time.perf_counter()
            found = author_search.find_authors(session, asker, f"mark{hits}", 41, timedelta(seconds=9))
            took.append(1000 * (time.perf_counter() - start))
            assert found
        own, servers = time.thread_time() - began, since(before, spent(place)).get("postgresql", 0.0)
    engine.dispose()
    median, processor = statistics.median(took), 1000 * (own + servers) / ASKED
    short = f"{1000 * servers / ASKED:.1f} ms of it PostgreSQL's; p50 {median:.1f} ms at the client."
    return Result(
        f"who about, {hits} updates have the word, processor time", processor, "ms", "limit", most, 1, short, lower=True
    )


def _insert(place: Company, speech: Speech) -> Result:
    """Alternately without and with the trigger, the best of some rounds: others use the machine."""
    author = place.scalar("SELECT min(id) FROM accounts")
    texts = [speech.update() for _ in range(INSERTED)]
    without, searchable = [], []
    for _ in range(ROUNDS):
        without.append(_insert_all(place, author, texts, "DISABLE"))
        searchable.append(_insert_all(place, author, texts, "ENABLE"))
    added = min(searchable) - min(without)
    short = f"{min(without):.3f} ms without it."
    return Result("processor time to make an update searchable", added, "ms", "limit", PROCESSOR, 1, short, lower=True)


def _insert_all(place: Company, author: int, texts: list[str], trigger: str) -> float:
    """Milliseconds of PostgreSQL's processor time for one insert."""
    owner = connect(place.settings.database_owner_url)
    with owner.begin() as connection:
        connection.execute(text(f"ALTER TABLE posts {trigger} TRIGGER index_post"))
    owner.dispose()
    before = spent(place)
    with place.engine.begin() as connection:
        for words in texts:
            connection.execute(ONE, {"author": author, "words": words})
    return 1000 * since(before, spent(place)).get("postgresql", 0.0) / len(texts)


if __name__ == "__main__":
    for result in measure():
        print(result.row(), result.short, flush=True)
