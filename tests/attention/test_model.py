"""A company at random, and a model of what each of them should have: nobody outside the audience is reached, nobody in
it is forgotten, nothing comes twice, and nothing rings while its reader wants quiet, in whatever zone they are and over
both changes of the clocks. By the real workers, some of which are lost, and on a clock that moves."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, assume
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine

from gateway.actions import seeing
from gateway.carriers.common.protocol import OutboundEmail, Text
from gateway.ledger.outbox import due_work
from gateway.network.presence import presence
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.support import personas
from tests.support.desk import PHONES, opened
from tests.support.lost_worker import lose
from tests.support.moving_clock import MovingClock, moving_clock
from tests.support.office import Office

PEOPLE = ("kim", "sam", "bob", "pat")  # Kim and Pat have a mailbox, too
READERS = (*PEOPLE, "priya")  # who only has a mailbox, follows Kim, and never does anything
MAILBOXES = {person.mailbox: person.handle for person in personas.PEOPLE}
HANDLES = {phone: handle for handle, phone in PHONES.items()}
MARK = re.compile(r"\bpost(\d+)x\b")  # stands in one update alone
BEGINNING = {("bob", "kim"), ("pat", "kim"), ("kim", "bob"), ("sam", "bob"), ("pat", "sam")}
GROUP: Final = "acme"  # Kim and Sam are in it
WORD: Final = "gate"  # is in every second update
# Names, as people say them: clocks that change in the north, in the south by half an hour, and not at all.
ZONES: Final = {
    "new york": "America/New_York", "berlin": "Europe/Berlin", "lord howe": "Australia/Lord_Howe",
    "tokyo": "Asia/Tokyo",
}  # fmt: skip
SPANS: Final = {"22-7": (time(22), time(7)), "0:30-2:30": (time(0, 30), time(2, 30)), "2:15-6": (time(2, 15), time(6))}
MINUTE: Final = timedelta(minutes=1)
ON_THE_WEB: Final = timedelta(minutes=5)  # for so long something may wait to be seen there
Copy = tuple[int, str]  # an update, and its reader

people = st.sampled_from(PEOPLE)
pairs = st.tuples(people, people).filter(lambda pair: pair[0] != pair[1])


def change_of(zone: str, now: datetime, number: int) -> datetime:
    """The next change of the clocks there, or the one after it."""
    found, at = 0, now
    while True:
        later = at + timedelta(hours=1)
        if at.astimezone(ZoneInfo(zone)).utcoffset() != later.astimezone(ZoneInfo(zone)).utcoffset():
            if found == number:
                return later
            found += 1
        at = later


class Company(RuleBasedStateMachine):
    """`follows`, `blocks`: pairs; `members`, `tracking`, `quiet` (with the span), `zones`, …: of people. `wanted`:
    copies that are on their way; `excused`: those of which something made unsure whether they still come; `had`: how
    often each came."""

    clock: MovingClock
    office: Office
    seen: ClassVar[Counter[str]] = Counter()

    @initialize(
        zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]),
        number=st.integers(0, 1),
        before=st.integers(2, 20),
        asleep=st.sets(people, min_size=1, max_size=2),
        authors=st.lists(people, min_size=2, max_size=4),
    )
    def begin(self, zone: str, number: int, before: int, asleep: set[str], authors: list[str]) -> None:
        """Some hours before a change of the clocks. Some have quiet hours from the first, and some write: short
        histories are tried more often than long ones."""
        self.clock.begin_again()
        change = change_of(zone, datetime.now(UTC), number)
        self.clock.move(change - timedelta(hours=before) - datetime.now(UTC))
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
        self.in_group: set[int] = set()
        self.follows = {("sam", "kim"), ("priya", "kim"), *BEGINNING}
        self.members = {"kim", "sam"}
        self.tracking: set[str] = set()
        self.digests: set[tuple[str, str]] = set()
        self.blocks: set[tuple[str, str]] = set()
        self.quiet: dict[str, str] = {}
        self.zones: dict[str, str] = {}
        self.off: set[str] = set()
        self.limited: set[str] = set()
        self.here: dict[str, datetime] = {}
        self.undone: set[int] = set()
        self.last: dict[str, int] = {}
        self.wanted: set[Copy] = set()
        self.excused: set[Copy] = set()
        self.had: Counter[Copy] = Counter()
        home = next((said for said, name in ZONES.items() if name == zone), "tokyo")
        for reader in sorted(asleep):
            self.travel(reader, home)
            self.sleep(reader, "0:30-2:30" if number else "22-7")
        self.post(authors)

    # What people do

    @rule(authors=st.lists(people, min_size=1, max_size=3))
    def post(self, authors: list[str]) -> None:
        for author in authors:
            number = self._written(author)
            self._says(author, self._words(number))
            self.last[author] = number

    @rule(author=people, at=st.integers(1, 90))
    def post_and_lose_a_worker(self, author: str, at: int) -> None:
        """One that reads, spreads or wakes up is killed before one of its statements; another one goes on."""
        number = self._written(author)
        self.office.says(author, self._words(number))
        engines = (self.office.engine, self.desk.context.engine)
        self.seen["lost"] += lose(engines, at, self.desk.prepare)
        self.desk.work()
        self.last[author] = number
        self._count()

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def post_to_group(self, data: st.DataObject) -> None:
        author = data.draw(st.sampled_from(sorted(self.members)))
        number = next(self.numbers)
        self.writers[number] = author
        self.in_group.add(number)
        self.wanted |= {(number, one) for one in self.members - self.off if self._hears(one, author)}
        self._says(author, f"#{GROUP} good morning post{number}x")
        self.last[author] = number

    @rule(reader=people)
    def join(self, reader: str) -> None:
        if not self._is_closed():
            self._says(reader, f"join {GROUP}")
            self.members.add(reader)
            self.digests.discard((reader, GROUP))

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def leave_group(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(sorted(self.members)))
        self._says(reader, f"leave {GROUP}")
        self.members.discard(reader)
        self.digests.discard((reader, GROUP))
        self.excused |= {copy for copy in self.wanted if copy[1] == reader and copy[0] in self.in_group}

    @rule(access=st.sampled_from(["open", "closed"]))
    def change_the_group(self, access: str) -> None:
        """What waits of it is for its members alone then, as it is for who is in it."""
        self.office.sql("UPDATE accounts SET access = :access WHERE handle = :group", access=access, group=GROUP)

    @rule(reader=people)
    def track(self, reader: str) -> None:
        self._says(reader, f"track {WORD}")
        self.tracking.add(reader)

    @rule(reader=people)
    def untrack(self, reader: str) -> None:
        self._says(reader, f"untrack {WORD}")
        self.tracking.discard(reader)
        self.excused |= {copy for copy in self.wanted if copy[1] == reader and self._has_word(copy[0])}

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

    @rule(reader=people, span=st.sampled_from(sorted(SPANS)))
    def sleep(self, reader: str, span: str) -> None:
        self.quiet[reader] = span  # what waited by other hours may come at once
        self._says(reader, f"quiet {span}")

    @rule(reader=people)
    def wake(self, reader: str) -> None:
        self.quiet.pop(reader, None)
        self._says(reader, "quiet off")

    @rule(reader=people, zone=st.sampled_from(sorted(ZONES)))
    def travel(self, reader: str, zone: str) -> None:
        self.zones[reader] = ZONES[zone]
        self._says(reader, f"zone {zone}")

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
        groups = {(one, GROUP) for one in self.members}
        pair = self._one_of(data, {pair for pair in self.follows if pair[0] in PEOPLE} | groups)
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

    @rule(reader=people)
    def act_on_the_web(self, reader: str) -> None:
        """What comes meanwhile waits some minutes to be seen there, and then comes."""
        with transaction(self.office.engine) as session:
            presence.note_activity(session, self._account(reader))
        self.here[reader] = self.clock.now()

    @precondition(lambda self: self.wanted - self.excused)
    @rule(data=st.data())
    def see_on_the_web(self, data: st.DataObject) -> None:
        """What waits of it does not come any more."""
        number, reader = data.draw(st.sampled_from(sorted(self.wanted - self.excused)))
        rows = self.office.sql("SELECT id FROM posts WHERE text LIKE :words", words=f"%post{number}x%")
        with transaction(self.office.engine) as session:
            seeing.mark_seen(session, self._account(reader), [int(str(row.id)) for row in rows])
        self.excused.add((number, reader))
        self.desk.work()
        self._count()

    @rule(minutes=st.sampled_from([20, 90, 5 * 60, 9 * 60, 26 * 60]))
    def time_passes(self, minutes: int) -> None:
        """It stops for all that is due before, and a minute after that: whatever waits is decided about in its time."""
        end = self.clock.now() + timedelta(minutes=minutes)
        while (left := end - self.clock.now()) > timedelta():
            with transaction(self.office.engine) as session:
                next_in = due_work.look(session).next_in
            self.clock.move(left if next_in is None else min(left, next_in + MINUTE))
            self.desk.work()
            self._count()

    # What must be so

    @invariant()
    def nothing_comes_twice(self) -> None:
        assert {copy for copy, times in self.had.items() if times > 1} == set()

    @invariant()
    def who_is_awake_has_it(self) -> None:
        """Whoever is awake, is on, and has it in no digest, has all that they want."""
        missing = self.wanted - self.excused - self.had.keys()
        if not missing:
            return
        now = self.clock.now()
        here = {reader for reader, since in self.here.items() if now - since < ON_THE_WEB}
        waits = self.off | self.limited | here | {reader for reader in self.quiet if self._may_be_quiet(reader, now)}
        assert {copy for copy in missing if copy[1] not in waits and not self._in_digest(*copy)} == set()

    def teardown(self) -> None:
        with self.left:
            self._ended()

    def _ended(self) -> None:
        for reader in PEOPLE:
            self.quiet.pop(reader, None)
            self.off.discard(reader)
            for words in ("quiet off", "on", "limit off"):
                self._says(reader, words)
        self.time_passes(26 * 60)
        self.time_passes(26 * 60)
        assert self.wanted - self.excused - self.had.keys() == set(), "forgotten"
        self.desk.clean()
        self.seen["got"] += len(self.had)

    # How it is asked

    def _written(self, author: str) -> int:
        number = next(self.numbers)
        self.writers[number] = author
        hear = {reader for reader, other in self.follows if other == author}
        if self._has_word(number):
            hear |= self.tracking - {author}
        self.wanted |= {(number, one) for one in hear - self.off if self._hears(one, author)}
        return number

    def _words(self, number: int) -> str:
        return f"good morning {f'{WORD} ' if self._has_word(number) else ''}post{number}x"

    def _has_word(self, number: int) -> bool:
        return number % 2 == 0 and number not in self.in_group

    def _hears(self, reader: str, author: str) -> bool:
        return reader != author and not self._parted(reader, author)

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
                    self.had[number, reader] += 1

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
        if number in self.in_group:
            assert reader in self.members
        else:
            assert (reader, author) in self.follows or (self._has_word(number) and reader in self.tracking)
        assert not self._parted(reader, author)
        assert not (by_text and (reader in self.off or self._is_quiet(reader))), "it rang"

    def _is_quiet(self, reader: str) -> bool:
        """By the wall clock alone. It is read when all has been sent, so a second earlier counts."""
        return reader in self.quiet and self._inside(reader, self.clock.now() - timedelta(seconds=2))

    def _may_be_quiet(self, reader: str, now: datetime) -> bool:
        """In an hour that the clocks show twice it may be so a little longer."""
        return any(self._inside(reader, now + timedelta(minutes=each)) for each in (-61, -1, 0, 1, 61))

    def _inside(self, reader: str, moment: datetime) -> bool:
        begin, end = SPANS[self.quiet[reader]]
        wall = moment.astimezone(ZoneInfo(self.zones.get(reader, "UTC"))).time()
        return begin <= wall < end if begin < end else wall >= begin or wall < end

    def _in_digest(self, number: int, reader: str) -> bool:
        source = GROUP if number in self.in_group else self.writers[number]
        return (reader, source) in self.digests

    def _account(self, handle: str) -> int:
        [row] = self.office.sql("SELECT id FROM accounts WHERE handle = :handle", handle=handle)
        return int(str(row.id))

    def _is_closed(self) -> bool:
        [row] = self.office.sql("SELECT access FROM accounts WHERE handle = :group", group=GROUP)
        return bool(row.access == "closed")

    def _end(self, pair: tuple[str, str]) -> None:
        self.follows.discard(pair)
        self.digests.discard(pair)
        self.excused |= {copy for copy in self.wanted if (copy[1], self.writers[copy[0]]) == pair}

    def _parted(self, one: str, other: str) -> bool:
        return (one, other) in self.blocks or (other, one) in self.blocks

    def _one_of(self, data: st.DataObject, those: set[Any]) -> Any:
        return data.draw(st.sampled_from(sorted(those)))


@pytest.mark.hypothesis
@pytest.mark.timeout(1800)
def test_each_has_what_they_want(engine: Engine, settings: Settings) -> None:
    with moving_clock(engine) as clock:
        there = settings.model_copy(update={"database_url": clock.url})
        Company.clock, Company.office, Company.seen = clock, Office(clock.engine, there), Counter()
        run_state_machine_as_test(
            Company,
            settings=hypothesis_settings(
                max_examples=3 if hypothesis_settings().derandomize else 40,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            ),
        )
    print(dict(Company.seen))
    assert Company.seen["got"] > 10
