"""Finds texts that no web hook brought (R9): it compares the carrier's own list of incoming texts with the inbox.

The clock does this in a thread of its own that sends nothing, so neither waits for the other. With
CRITTER_SMS_INTAKE=poll it is the way in. Whatever it finds is accepted like a web hook, under the same natural
key, so a text that is found twice, or also comes late by its web hook, has one effect.

The list can be filtered by whole days only. It is read newest first, down to a day before the last complete reading
began; the mark moves only when every page could be read. A poll reads only the newest texts, and the whole list every
two minutes.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.carriers.twilio.inbound_list import ListedText, ListPage
from gateway.channels import SMS
from gateway.errors import CarrierError
from gateway.ledger.inbox import inbox, poll_cursors
from gateway.ledger.inbox.inbox import Incoming, Picture
from gateway.ledger.inbox.poll_cursors import ClaimedCursor
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext

LOOK: Final = 5.0  # seconds between two looks for a number that is due, at most
GROUP: Final = 100  # texts in one commit
AT_ONCE: Final = 4  # numbers whose lists are read at the same time
TRIES: Final = 2  # tries for one page
AGAIN: Final = 0.5  # seconds before the second try
MOST_PAGES: Final = 5_000
LATE: Final = timedelta(minutes=5)  # how late the list may show a text that a poll is still to find
PATIENCE: Final = 15.0  # seconds for one answer
HASTE: Final = 2  # after so many incomplete readings the texts of an incomplete list are accepted all the same

log = structlog.get_logger()


@dataclass
class Memory:
    """What this process knows of one number. `fresh`: when the last complete reading began; `whole_at`: when the last
    reading of the whole list did, on the process's own clock. Both are empty after a start, so that the first reading
    is of the whole list."""

    fresh: datetime | None = None
    whole_at: float = float("-inf")


@dataclass
class ListWatch:
    """One process's watch over the lists of all our numbers."""

    context: WorkerContext
    memories: dict[str, Memory] = field(default_factory=dict)

    def run_once(self) -> int:
        """Reads the lists that are due; returns how many texts were found. It takes none in while a drain keeps the
        doors closed."""
        if self.context.admission.is_closed():
            return 0
        ours = self.context.settings.listed_numbers
        period = timedelta(seconds=self.context.settings.sms_intake_seconds)
        with transaction(self.context.engine) as session:
            if not self.memories:
                poll_cursors.watch(session, ours)
            taken = poll_cursors.take(session, ours, self.context.owner, period, _lease(self.context))
        if not taken:
            return 0
        with ThreadPoolExecutor(min(AT_ONCE, len(taken)), "missed") as readers:
            return sum(readers.map(self._read, taken))

    def _read(self, taken: ClaimedCursor) -> int:
        """Reads one number's list. What goes wrong with it is recorded, and does not affect other numbers."""
        memory = self.memories.setdefault(taken.number, Memory())
        began = time.monotonic()
        whole = memory.fresh is None or began - memory.whole_at >= self.context.settings.whole_list_seconds
        floor = taken.floor if whole or memory.fresh is None else max(taken.floor, memory.fresh - LATE)
        reading = _ListPass(self.context, taken, floor)
        reason = reading.run()
        found = reading.accept() if reason is None or taken.failures >= HASTE else 0
        reason = reason or reading.reason
        with transaction(self.context.engine) as session:
            if reason is None:
                poll_cursors.complete(session, taken, self.context.owner, whole)
            else:
                poll_cursors.incomplete(session, taken, self.context.owner, reason)
        if reason is None:
            memory.fresh = taken.asked_at
            memory.whole_at = began if whole else memory.whole_at
        self._tell(taken, found, reason)
        return found

    def _tell(self, taken: ClaimedCursor, found: int, reason: str | None) -> None:
        ours = self.context.settings.listed_numbers.index(taken.number)  # a number is never logged
        if reason is not None:
            log.warning("list of texts to us is not complete", number=ours, reason=reason, failures=taken.failures + 1)
        if found:
            self.context.notifier.notify("inbound")
            polls = self.context.settings.sms_intake == "poll"
            log.info("texts found in the list", number=ours, texts=found) if polls else log.warning(
                "texts came without a web hook", number=ours, texts=found
            )


class _ListPass:
    """One pass over one number's list: collects the texts that the inbox does not have yet."""

    def __init__(self, context: WorkerContext, taken: ClaimedCursor, floor: datetime) -> None:
        self._context, self._taken, self._floor = context, taken, floor
        self._new: dict[str, ListedText] = {}
        self.reason: str | None = None
        with transaction(context.engine) as session:
            self._key = inbox.hash_key(session)

    def run(self) -> str | None:
        """Goes through the pages; returns None at the end of the list, otherwise the reason why it stopped before."""
        path: str | None = None
        for _ in range(MOST_PAGES):
            if self._context.stopping():
                return "stopped"
            try:
                page = self._page(path)
            except CarrierError as problem:
                return problem.reason
            except TimeoutError:
                return "timeout"
            if page.broken:
                self.reason = "entries that cannot be read"  # they may be texts, so the mark does not move past them
            if not self._note(page):
                return "taken over"
            if page.next is None or (page.oldest and page.oldest < self._floor):
                return None
            path = page.next
        return "the list does not end"

    def _page(self, path: str | None) -> ListPage:
        """Fetches a page, a second time when that can help: a short failure should not restart a long list."""
        listed = self._context.inbox
        assert listed is not None
        for attempt in range(1, TRIES + 1):
            try:
                return self._context.loop.run(listed.page(self._taken.number, self._floor, path), PATIENCE)
            except CarrierError as problem:
                if problem.kind == "permanent" or attempt == TRIES or self._context.stopping():
                    raise
                self._context.rest(AGAIN)
        raise AssertionError

    def _note(self, page: ListPage) -> bool:
        """Keeps the new texts of a page; returns False when another process has taken this number over."""
        asked = {one.sid: one for one in page.found if one.sent_at >= self._floor}
        with transaction(self._context.engine) as session:
            there = inbox.known(session, self._key, SMS, [sid.encode() for sid in asked])
            mine = poll_cursors.keep(session, self._taken, self._context.owner, _lease(self._context))
        self._new |= {sid: one for sid, one in asked.items() if sid.encode() not in there}
        return mine

    def accept(self) -> int:
        """Puts the texts into the inbox, oldest first, so that each sender's texts keep their order; returns how many
        were new."""
        # The list is newest first, and its times are whole seconds: reversed, those of one second are in order too.
        texts = list(self._new.values())[::-1]
        texts.sort(key=lambda one: one.sent_at)
        incoming = [one for one in map(self._incoming, texts) if one is not None]
        found = 0
        for start in range(0, len(incoming), GROUP):
            if not self._context.admission.enter():
                self.reason = "drained"  # the list keeps them, and the mark does not move past them
                break
            try:
                with transaction(self._context.engine) as session:
                    found += len(inbox.accept(session, self._key, incoming[start : start + GROUP]))
            finally:
                self._context.admission.leave()
        return found

    def _incoming(self, text: ListedText) -> Incoming | None:
        """Builds the same row that gateway/doors/sms/twilio builds from a web hook. The list does not say that the
        carrier itself answered STOP, START or HELP: only the words tell. Returns None when the list of its pictures
        could not be fetched: the text waits for them."""
        pictures = self._pictures(text) if text.pictures else []
        if pictures is None:
            return None
        return Incoming(
            channel=SMS,
            identity=text.sid.encode(),
            sender=text.sender,
            recipients=(text.recipient,),
            raw=text.entry,
            trusted=True,
            message_id=text.sid,
            text=text.body,
            sent_at=text.sent_at,
            pictures=tuple(pictures),
        )

    def _pictures(self, text: ListedText) -> list[Picture] | None:
        listed = self._context.inbox
        assert listed is not None
        try:
            return [Picture(*each) for each in self._context.loop.run(listed.pictures(text.sid), PATIENCE)]
        except (CarrierError, TimeoutError) as problem:
            self.reason = f"pictures: {problem.reason if isinstance(problem, CarrierError) else 'timeout'}"
            return None


def _lease(context: WorkerContext) -> timedelta:
    """How long a claim lasts: it is renewed with each page, and a page may be fetched twice."""
    return timedelta(seconds=context.settings.lease_seconds + TRIES * PATIENCE)


def watch_lists(context: WorkerContext, _failures: object) -> Callable[[], None]:
    """Returns the function that looks once; the clock calls it again and again (workers/runtime/periodic_tasks)."""
    watch = ListWatch(context)

    def run_once() -> None:
        watch.run_once()

    return run_once
