"""Fan-outs choose the address in SQL (chosen_way), what is about to leave is decided in Python (attention/ways): both
are asked about the same readers at random, each with any choices for any of the causes of one post."""

import json
import random
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gateway.attention.causes import DeliveryCause as Cause
from gateway.attention.ways import COLUMNS, WAYS, ItemCause, WayChoice

READERS: Final = range(1001, 2001)
PERSON, GROUP, BROADCAST, TAG, TRACK, AUTHOR = 1, 2, 3, 4, 5, 6
POST, QUESTION = 11, 12
CAUSES: Final = {
    PERSON: Cause.PERSON,
    GROUP: Cause.GROUP,
    BROADCAST: Cause.BROADCAST,
    TAG: Cause.TAG,
    TRACK: Cause.TRACKED,
}
COMPANY: Final = (
    """INSERT INTO accounts (id, kind, handle, name, access) VALUES
       (1, 'person', 'followed', 'F', NULL), (2, 'group', 'sales', 'S', 'open'),
       (3, 'group', 'dispatch', 'D', 'broadcast'), (6, 'person', 'author', 'A', NULL)""",
    "INSERT INTO topics (id, tag) VALUES (4, 'win')",
    "INSERT INTO tracks (id, phrase, shown) VALUES (5, 'acme', 'acme')",
    """INSERT INTO accounts (id, kind, handle, name)
       SELECT n, 'person', 'reader' || n, 'R' || n FROM generate_series(1001, 2000) n""",
    "INSERT INTO posts (id, author_id, visibility, text, via) VALUES (12, 1001, 'company', 'how?', 'cli')",
)
ASKED: Final = text("""
    SELECT id, chosen_way(0, 11, id, ARRAY[1, 2, 3, 4, 5], id = ANY (CAST(:named AS bigint[]))) FROM accounts
    WHERE id >= 1001
""")


class Readers:
    """What each of them chose and follows. `named`: the post is written to them."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.direct = self.dice.random() < 0.5
        self.prefer = {each: self.dice.choice([None, None, "mail", "web"]) for each in READERS}
        self.ways = {each: [self._way() for _ in COLUMNS] for each in READERS}
        self.named = {each for each in READERS if self.dice.random() < 0.3}
        self.follows = {
            each: {
                source: (self._way(source), self.dice.random() < 0.4) for source in CAUSES if self.dice.random() < 0.4
            }
            for each in READERS
        }

    def _way(self, source: int = TAG) -> str | None:
        """What is followed and wanted not at all is off, which is another column."""
        return self.dice.choice([None, *(way for way in WAYS if source in (TAG, TRACK) or way != "nothing")])

    def write(self, session: Session) -> None:
        for statement in COMPANY:
            session.execute(text(statement))
        session.execute(
            text("""INSERT INTO posts (id, author_id, visibility, text, via, in_reply_to)
                    VALUES (11, 6, :visibility, 'here', 'cli', 12)"""),
            {"visibility": "direct" if self.direct else "company"},
        )
        names = {PERSON: "account_id", GROUP: "account_id", BROADCAST: "account_id", TAG: "topic_id", TRACK: "track_id"}
        tables = {PERSON: "follows", GROUP: "follows", BROADCAST: "follows", TAG: "topic_follows", TRACK: "trackers"}
        for source, table in tables.items():
            rows = [
                {"follower_id": each, names[source]: source, "way": way, "by_text": by_text}
                for each, mine in self.follows.items()
                for way, by_text in [mine.get(source, (None, None))]
                if by_text is not None
            ]
            _put(session, table, ["follower_id", names[source], "way", "by_text"], rows)
        chosen = [
            {"account_id": each, "prefer": self.prefer[each], **dict(zip(COLUMNS, self.ways[each], strict=True))}
            for each in READERS
        ]
        _put(session, "attention", ["account_id", "prefer", *COLUMNS], chosen)

    def choice(self, reader: int) -> WayChoice:
        """The same for the rule in Python, of a reader with a mailbox."""
        causes = [ItemCause(CAUSES[source], *rest) for source, rest in self.follows[reader].items()]
        if reader in self.named:
            cause = Cause.PRIVATE if self.direct else Cause.REPLY if reader == READERS[0] else Cause.MENTION
            causes.append(ItemCause(cause, None, True))
        return WayChoice(tuple(causes), (self.prefer[reader], *self.ways[reader]), 1, True)


def _put(session: Session, table: str, columns: list[str], rows: list[dict[str, Any]]) -> None:
    named = ", ".join(f'"{each}"' for each in columns)
    session.execute(
        text(f"INSERT INTO {table} ({named}) SELECT {named} FROM json_populate_recordset(NULL::{table}, :rows)"),
        {"rows": json.dumps(rows)},
    )


def agrees(by_fan_out: str, choice: WayChoice) -> bool:
    """Whether what the fan-out chose is where the decision leaves it. What waits or is not sent at all stands where it
    would have come: on the phone, if a phone asked for any of it."""
    texted = choice.way == "text" or any(cause.by_text for cause in choice.causes)
    if choice.mailed or choice.way == "mail":
        return by_fan_out in ("mailed", "mail")
    if choice.way == "web" and choice.ways[0] == "web":  # for texts alone, and so where a text would have come
        return by_fan_out in ("text", "either")
    if texted:
        return by_fan_out == ("mailed" if choice.ways[0] == "mail" else "text")
    return by_fan_out == ("mail" if choice.way == "nothing" else "either")


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(seed=st.integers(0, 2**32))
def test_fan_outs_and_the_last_decision_agree_about_everybody(engine: Engine, seed: int) -> None:
    with engine.connect() as connection, Session(connection) as session:
        readers = Readers(seed)
        readers.write(session)
        chosen = {row[0]: row[1] for row in session.execute(ASKED, {"named": list(readers.named)})}
        session.rollback()
    wanted = {each: readers.choice(each) for each in READERS if readers.follows[each] or each in readers.named}
    wrong = {each: (chosen[each], one) for each, one in wanted.items() if not agrees(chosen[each], one)}
    assert wrong == {}
    assert {chosen[each] for each in wanted} == {"text", "mailed", "mail", "either"}
