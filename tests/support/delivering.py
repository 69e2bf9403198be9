"""What the tests of deliveries stand on: a small company, rows to send, and a carrier that does as it is told."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine, func, insert, text
from sqlalchemy.orm import Session

from gateway.carriers.common.protocol import ListedMessage, OutboundEmail, Outcome, Text
from gateway.carriers.common.send_gate import OPEN, Gate
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.claims import ClaimedDelivery
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.settings import Settings
from gateway.store.database import connect, transaction
from gateway.store.tables import Account, Address, Attempt, Follow, Post
from workers.runtime.context import WorkerContext
from workers.runtime.event_loop import Loop

SENT = Outcome("sent", "SM" + "0" * 32)


class Carrier:
    """Takes texts or mails; `answers` says what becomes of each, `held` keeps all until it is set."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.taken: list[Text | OutboundEmail] = []
        self.began: list[float] = []
        self.answers: Callable[[Text | OutboundEmail], Outcome] = self.accept
        self.listed: Callable[[], list[ListedMessage]] = list
        self.delay = 0.0
        self.flying = self.most = 0

    def accept(self, parcel: Text | OutboundEmail) -> Outcome:
        return replace(SENT, carrier_id=f"SM{parcel.attempt:032x}")

    async def send(self, batch: Sequence, settled: Callable, gate: Gate = OPEN) -> None:
        self.flying += len(batch)
        self.most = max(self.most, self.flying)
        for parcel in batch:
            self.began.append(time.monotonic())
            self.taken.append(parcel)
        await asyncio.sleep(self.delay)
        self.flying -= len(batch)
        for parcel in batch:
            settled(parcel, self.answers(parcel))

    async def listing(self, recipient: str | None, sender: str | None, since: datetime) -> list[ListedMessage]:
        return [one for one in self.listed() if one.recipient == recipient]

    async def close(self) -> None: ...


def open_context(
    settings: Settings, texts: Carrier | None = None, emails: Carrier | None = None, pushes: Carrier | None = None
) -> WorkerContext:
    return WorkerContext(
        settings=settings,
        engine=connect(settings.database_url),
        notifier=WorkerNotifier(settings.redis_url),
        owner="tests",
        loop=Loop(),
        texts={"twilio": texts} if texts else {},
        emails=emails,
        pushes=pushes,
    )


def person(engine: Engine, handle: str, phone: str | None = None, mailbox: str | None = None) -> tuple[int, int]:
    """An account and its one address."""
    channel, address = ("sms", phone) if phone else ("email", mailbox or f"{handle}@demo.example")
    with transaction(engine) as session:
        account = Account(kind="person", handle=handle, name=handle.title())
        session.add(account)
        session.flush()
        row = Address(
            account_id=account.id, channel=channel, address=address, is_primary=True, introduced_at=func.now()
        )
        session.add(row)
        session.flush()
        return account.id, row.id


def people(engine: Engine, count: int) -> list[int]:
    """That many phones, +14155560000 and so on."""
    with transaction(engine) as session:
        accounts = [Account(kind="person", handle=f"p{n}", name=f"P {n}") for n in range(count)]
        session.add_all(accounts)
        session.flush()
        phones = [
            Address(
                account_id=account.id,
                channel="sms",
                address=f"+1415556{n:04}",
                is_primary=True,
                introduced_at=func.now(),
            )
            for n, account in enumerate(accounts)
        ]
        session.add_all(phones)
        session.flush()
        return sorted(phone.id for phone in phones)


def post(engine: Engine, author: int, words: str, to: Sequence[Target], **more: object) -> int:
    """An update on its way; its message."""
    with transaction(engine) as session:
        row = Post(author_id=author, visibility=more.get("visibility", "company"), text=words, via="sms")
        session.add(row)
        session.flush()
        outgoing = Outgoing("update", words, words[:60], words, author_id=author, post_id=row.id)
        return outbox.put(session, outgoing, to)


def begin(session: Session, claimed: Sequence[ClaimedDelivery]) -> list[ClaimedDelivery]:
    """Writes the attempts of claimed texts, as paying for them does."""
    values = [(one.attempt_id, one.message_id, one.address_id, one.number) for one in claimed]
    columns = ("id", "message_id", "address_id", "number")
    session.execute(insert(Attempt), [dict(zip(columns, row, strict=True)) for row in values]) if values else None
    return list(claimed)


def follow(engine: Engine, follower: int, account: int) -> None:
    with transaction(engine) as session:
        session.add(Follow(follower_id=follower, account_id=account, by_text=True))


def rows(engine: Engine, query: str = "SELECT * FROM deliveries ORDER BY message_id, address_id") -> list:
    with engine.connect() as connection:
        return list(connection.execute(text(query)))


def change(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def states(engine: Engine) -> list[str]:
    return [row.state for row in rows(engine)]
