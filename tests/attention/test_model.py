"""A company at random, and a model of what each of them should have: nobody outside the audience is reached, nobody in
it is forgotten, nothing comes twice, and nothing rings while its reader wants quiet. By the real workers."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.carriers.common.protocol import OutboundEmail, Text
from tests.support import personas
from tests.support.databases import Kept
from tests.support.desk import PHONES, SLEEP, opened
from tests.support.office import Office

PEOPLE = ("kim", "sam", "bob", "pat")  # Kim and Pat have a mailbox, too
READERS = (*PEOPLE, "priya")  # who only has a mailbox, follows Kim, and never does anything
MAILBOXES = {person.mailbox: person.handle for person in personas.PEOPLE}
HANDLES = {phone: handle for handle, phone in PHONES.items()}
MARK = re.compile(r"\bpost(\d+)x\b")  # stands in one update alone
BEGINNING = {("bob", "kim"), ("pat", "kim"), ("kim", "bob"), ("sam", "bob"), ("pat", "sam")}
Copy = tuple[int, str]  # an update, and its reader

people = st.sampled_from(PEOPLE)
pairs = st.tuples(people, people).filter(lambda pair: pair[0] != pair[1])


class Company(RuleBasedStateMachine):
    """`follows`, `blocks`: pairs. `wanted`: copies that are on their way; `excused`: those of which something made
    unsure whether they still come; `had`: how often each came."""

    office: Office
    databases: Kept
    seen: ClassVar[dict[str, int]] = {}

    @initialize(asleep=st.sets(people, min_size=1, max_size=2), authors=st.lists(people, min_size=2, max_size=5))
    def begin(self, asleep: set[str], authors: list[str]) -> None:
        """Some sleep from the first, and some write: short histories are tried more often than long ones."""
        self.databases.empty(self.office.settings.database_url)
        self.office.assemble()
        self.left = ExitStack()
        self.desk = self.left.enter_context(opened(self.office))
        for reader, author in sorted(BEGINNING):
            self.office.says(reader, f"follow {author}")
        self.desk.work()
        self.desk.texts.taken.clear()
        self.desk.mails.taken.clear()
        self.numbers = count(1)
        self.writers: dict[int, str] = {}
        self.follows = {("sam", "kim"), ("priya", "kim"), *BEGINNING}
        self.digests: set[tuple[str, str]] = set()
        self.blocks: set[tuple[str, str]] = set()
        self.quiet: set[str] = set()
        self.off: set[str] = set()
        self.limited: set[str] = set()
        self.undone: set[int] = set()
        self.last: dict[str, int] = {}
        self.wanted: set[Copy] = set()
        self.excused: set[Copy] = set()
        self.had: dict[Copy, int] = {}
        for reader in sorted(asleep):
            self.sleep(reader)
        self.post(authors)

    # What people do

    @rule(authors=st.lists(people, min_size=1, max_size=3))
    def post(self, authors: list[str]) -> None:
        for author in authors:
            number = next(self.numbers)
            self.writers[number] = author
            hear = {reader for reader, other in self.follows if other == author and reader not in self.off}
            self.wanted |= {(number, reader) for reader in hear}
            self._says(author, f"good morning post{number}x")
            self.last[author] = number

    @rule(pair=pairs)
    def follow(self, pair: tuple[str, str]) -> None:
        assume(not self._parted(*pair))
        self._says(pair[0], f"follow {pair[1]}")
        self.follows.add(pair)
        self.digests.discard(pair)

    @precondition(lambda self: any(pair[0] in PEOPLE for pair in self.follows))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        pair = self._one_of(data, {pair for pair in self.follows if pair[0] in PEOPLE})
        self._says(pair[0], f"leave {pair[1]}")
        self._end(pair)

    @rule(pair=pairs)
    def block(self, pair: tuple[str, str]) -> None:
        self._says(pair[0], f"block {pair[1]}")
        self.blocks.add(pair)
        for each in (pair, pair[::-1]):
            self._end(each)

    @precondition(lambda self: self.blocks)
    @rule(data=st.data())
    def unblock(self, data: st.DataObject) -> None:
        pair = self._one_of(data, self.blocks)
        self._says(pair[0], f"unblock {pair[1]}")
        self.blocks.discard(pair)

    @precondition(lambda self: self.last)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        """Whoever has just written takes it back."""
        author = data.draw(st.sampled_from(sorted(self.last)))
        number = self.last[author]
        self.undone.add(number)
        self.wanted -= {(number, reader) for reader in READERS}
        self._says(author, "undo")

    @rule(reader=people)
    def sleep(self, reader: str) -> None:
        self._says(reader, SLEEP)
        self.quiet.add(reader)

    @rule(reader=people)
    def wake(self, reader: str) -> None:
        self.quiet.discard(reader)
        self._says(reader, "quiet off")

    @rule(reader=people)
    def switch_off(self, reader: str) -> None:
        """Without an end: what waits for this phone may be dropped, and nothing is kept."""
        self._says(reader, "off")
        self.off.add(reader)
        self.excused |= {copy for copy in self.wanted if copy[1] == reader}

    @rule(reader=people)
    def switch_on(self, reader: str) -> None:
        self.off.discard(reader)
        self._says(reader, "on")

    @precondition(lambda self: any(pair[0] in PEOPLE for pair in self.follows))
    @rule(data=st.data())
    def into_digest(self, data: st.DataObject) -> None:
        pair = self._one_of(data, {pair for pair in self.follows if pair[0] in PEOPLE})
        self._says(pair[0], f"digest {pair[1]}")
        self.digests.add(pair)

    @rule(reader=people)
    def end_digests(self, reader: str) -> None:
        self.digests -= {pair for pair in self.digests if pair[0] == reader}
        self._says(reader, "digest off")

    @rule(reader=people)
    def limit(self, reader: str) -> None:
        self._says(reader, "limit 2")
        self.limited.add(reader)

    @rule(reader=people)
    def end_limit(self, reader: str) -> None:
        self.limited.discard(reader)
        self._says(reader, "limit off")

    @rule(reader=people, channel=st.sampled_from(["mail", "text"]))
    def prefer(self, reader: str, channel: str) -> None:
        """Refused for who has no mailbox. Which channel it comes by is not what is counted here."""
        self._says(reader, f"prefer {channel}")

    @rule()
    def time_comes(self) -> None:
        """All that waits is decided about, and waits on where there is a reason."""
        self.desk.office.sql("UPDATE held SET until = now() WHERE state = 'waiting'")
        self.desk.send()
        self._count()

    # What must be so

    @invariant()
    def nothing_comes_twice(self) -> None:
        assert {copy for copy, times in self.had.items() if times > 1} == set()

    @invariant()
    def who_is_awake_has_it(self) -> None:
        """Whoever is awake, is on, and has it in no digest, has all that they want."""
        waiting = {
            (number, reader)
            for number, reader in self.wanted
            if reader in self.quiet | self.off | self.limited or (reader, self.writers[number]) in self.digests
        }
        assert self.wanted - waiting - self.excused - self.had.keys() == set()

    def teardown(self) -> None:
        with self.left:
            self._ended()

    def _ended(self) -> None:
        for reader in PEOPLE:
            self.quiet.discard(reader)
            self.off.discard(reader)
            for words in ("quiet off", "on", "limit off"):
                self._says(reader, words)
        self.time_comes()
        assert self.wanted - self.excused - self.had.keys() == set(), "forgotten"
        self.desk.clean()
        self.seen["got"] = self.seen.get("got", 0) + len(self.had)

    # How it is asked

    def _says(self, handle: str, words: str) -> None:
        self.desk.says(handle, words)
        self.last.pop(handle, None)
        self._count()

    def _count(self) -> None:
        """What came to whom since the last time; each of it must be allowed now."""
        for one in self._taken():
            reader, by_text, words = one
            for number in {int(found) for found in MARK.findall(words)}:
                if self.writers.get(number) != reader:  # an answer may show somebody their own words
                    self._allowed(number, reader, by_text)
                    self.had[number, reader] = self.had.get((number, reader), 0) + 1

    def _taken(self) -> Iterator[tuple[str, bool, str]]:
        texts, mails = self.desk.texts.taken[:], self.desk.mails.taken[:]
        self.desk.texts.taken.clear()
        self.desk.mails.taken.clear()
        for text in texts:
            assert isinstance(text, Text)
            yield HANDLES[text.recipient], True, text.body
        for mail in mails:
            assert isinstance(mail, OutboundEmail)
            yield MAILBOXES[mail.recipient], False, mail.content.decode()

    def _allowed(self, number: int, reader: str, by_text: bool) -> None:
        author = self.writers[number]
        assert number not in self.undone
        assert (reader, author) in self.follows
        assert not self._parted(reader, author)
        assert not (by_text and reader in self.quiet | self.off), "it rang"

    def _end(self, pair: tuple[str, str]) -> None:
        self.follows.discard(pair)
        self.digests.discard(pair)
        self.excused |= {copy for copy in self.wanted if (copy[1], self.writers[copy[0]]) == pair}

    def _parted(self, one: str, other: str) -> bool:
        return (one, other) in self.blocks or (other, one) in self.blocks

    def _one_of(self, data: st.DataObject, those: set[Any]) -> Any:
        return data.draw(st.sampled_from(sorted(those)))


@pytest.mark.hypothesis
@pytest.mark.timeout(600)
def test_each_has_what_they_want(office: Office, databases: Kept) -> None:
    Company.office, Company.databases, Company.seen = office, databases, {}
    run_state_machine_as_test(
        Company,
        settings=settings(
            max_examples=4 if settings().derandomize else 100,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
    assert Company.seen["got"] > 10
