"""An office whose texts and mails leave through the real workers; only the carriers are played. Tests of what waits for
its reader (quiet hours, digests) use it."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.carriers.common.protocol import OutboundEmail, Text
from gateway.ledger.audit.invariants import prove
from gateway.store.database import transaction
from tests.support import personas
from tests.support.delivering import Carrier, open_context
from tests.support.office import Office
from workers import calls, deliver, wake_up
from workers.runtime.context import enter

SLEEP = "quiet 0-23:59"  # nearly always; the tests end it with `quiet off`
TURNS = 30
PHONES = {person.handle: person.phone for person in personas.PEOPLE}


class Desk:
    """An office whose texts and mails leave through the real workers."""

    def __init__(self, office: Office) -> None:
        self.office, self.texts, self.mails = office, Carrier("sms"), Carrier("email")
        self.pushes = Carrier("push")
        self.context = open_context(office.settings, self.texts, self.mails, self.pushes)

    def says(self, handle: str, words: str) -> None:
        self.office.says(handle, words)
        self.work()

    def work(self) -> None:
        """Until nothing is left to do now."""
        while self._read_or_spread():
            pass
        self.send()

    def prepare(self) -> None:
        """Reads, spreads, and decides about what waits; sends nothing."""
        while self._read_or_spread():
            pass
        self.fold()

    def _read_or_spread(self) -> bool:
        self.office.sql("UPDATE fanouts SET not_before = now() WHERE state = 'waiting' AND not_before > now()")
        due = self.office.due()
        return ("inbound" in due and self.office.read()) or ("fanout" in due and self.office.spread())

    def send(self) -> None:
        """Until nothing is due; a worker that the machine holds up may need another turn."""
        for _ in range(TURNS):
            due = self.office.due()
            if "wake_ups" in due:
                self.fold()
            if "calls" in due:
                self.go_on_calling()
                due = self.office.due()
            if "sms" in due:
                deliver.drain_sms()
            if "email" in due:
                deliver.drain_email()
            if "push" in due:
                deliver.drain_push()
            if not due & {"wake_ups", "calls", "sms", "email", "push"}:
                break

    def fold(self) -> None:
        """Decides about all that is due, and sends nothing."""
        while wake_up.step(self.context):
            pass

    def go_on_calling(self) -> None:
        """Takes each step of urgent calls that is due, and sends nothing."""
        while calls.step(self.context):
            pass

    def heard(self, handle: str) -> list[str]:
        """The texts that went to somebody's phone since the last call."""
        mine = [one.body for one in self.texts.taken if isinstance(one, Text) and one.recipient == PHONES[handle]]
        self.texts.taken = [one for one in self.texts.taken if one.recipient != PHONES[handle]]
        return mine

    def mailed(self, handle: str) -> list[str]:
        to = f"{handle}@demo.example"
        return [
            one.content.decode() for one in self.mails.taken if isinstance(one, OutboundEmail) and one.recipient == to
        ]

    def states(self) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self.office.sql("SELECT state, reason, why FROM held ORDER BY message_id")]

    def clean(self) -> None:
        with transaction(self.office.engine) as session:
            broken = prove(session).broken
        assert broken == (), broken


@contextmanager
def opened(office: Office) -> Iterator[Desk]:
    """The desk of one test, as a fixture yields it."""
    made = Desk(office)
    enter(made.context)
    deliver._texts.cache_clear()
    deliver._letters.cache_clear()
    deliver._pushes.cache_clear()
    try:
        yield made
    finally:
        enter(None)
        made.context.close()


def asleep(desk: Desk, *words: str) -> None:
    desk.says("sam", SLEEP)
    desk.heard("sam")
    for each in words:
        desk.office.says("kim", each)
    desk.work()
