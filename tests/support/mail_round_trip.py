"""The whole road of mails as tests walk it: a real door, the workers' own steps, and a relay that keeps what leaves."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, text

from gateway.carriers.common.protocol import OutboundEmail
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.support import mail_process
from tests.support.delivering import Carrier, open_context
from tests.support.mail_process import Client
from workers import deliver, fanout, inbound
from workers.runtime.context import WorkerContext, enter
from workers.upkeep import scheduler


@dataclass
class MailRoundTrip:
    """A company's mail in and out. `emails` took the mails, `texts` the texts."""

    engine: Engine
    settings: Settings
    context: WorkerContext
    emails: Carrier
    texts: Carrier

    def mail(self, content: bytes, to: Sequence[str], sender: str = "") -> None:
        """Handed to the door, which must take it. The null sender is ""."""
        with Client(self.settings.smtp_listen) as client:
            reply = client.mail(_stuffed(content), tuple(to), sender)
        assert reply.startswith("250"), reply

    def work(self) -> None:
        """Reads, spreads and sends until nothing is left to do now."""
        enter(self.context)
        busy = True
        while busy:
            busy = inbound.step(self.context)
            busy |= fanout.step(self.context)
            sent = len(self.emails.taken) + len(self.texts.taken)
            deliver.drain_email()
            deliver.drain_sms()
            busy |= len(self.emails.taken) + len(self.texts.taken) > sent
            busy |= self._unread()

    def read(self) -> None:
        """Only reads what came in."""
        while inbound.step(self.context) or self._unread():
            pass

    def _unread(self) -> bool:
        return bool(self.sql("SELECT 1 FROM inbound WHERE state = 'new' AND not_before IS NULL"))

    def tick(self) -> None:
        """What the clock does about mailboxes once a minute."""
        scheduler.test_mailboxes(self.context)

    def later(self, days: float) -> None:
        """Everything about bounces becomes that much older."""
        for change in (
            "bouncing SET bounced_at = bounced_at - {0}, probe_at = probe_at - {0}, warned_at = warned_at - {0}",
            "deliveries SET sent_at = sent_at - {0}",
            "bounces SET created_at = created_at - {0}",
        ):
            self.sql("UPDATE " + change.format(f"interval '{days} days'"))

    def sent(self) -> list[OutboundEmail]:
        """The mails that left since the last time."""
        taken, self.emails.taken = self.emails.taken, []
        return [one for one in taken if isinstance(one, OutboundEmail)]

    def notices(self) -> list[str]:
        """The texts that left since the last time."""
        taken, self.texts.taken = self.texts.taken, []
        return [one.body for one in taken if not isinstance(one, OutboundEmail)]

    def sql(self, statement: str, **values: object) -> list:
        with transaction(self.engine) as session:
            result = session.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []  # type: ignore[attr-defined]

    def inputs(self) -> list[tuple[str, str | None, str | None]]:
        """How the mails ended: (state, intent, reason), the oldest first."""
        rows = self.sql("SELECT state, intent, reason FROM inbound WHERE channel = 'email' ORDER BY id")
        return [tuple(row) for row in rows]


@contextmanager
def opened(settings: Settings, engine: Engine) -> Iterator[MailRoundTrip]:
    texts, emails = Carrier("sms"), Carrier("email")
    context = open_context(settings, texts, emails)
    with mail_process.opened(settings):
        yield MailRoundTrip(engine, settings, context, emails, texts)
    enter(None)
    context.close()


def head(email: OutboundEmail) -> str:
    """The header of a mail that left, as a server would bring it back."""
    return email.content.partition(b"\r\n\r\n")[0].decode()


def _stuffed(content: bytes) -> bytes:
    return content.removesuffix(b"\r\n").replace(b"\r\n.", b"\r\n..") + b"\r\n"
