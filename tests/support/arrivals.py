"""What reached the other side, by the simulator's ledger, held against the outbox: tests of faults end with it."""

import re
from collections import Counter
from typing import Any

from sqlalchemy import text

from gateway.security.signed_tokens import Signer
from gateway.settings import load
from tests.support.running_critter import Company

ACCEPTED = ("create", "mail")
MESSAGE_ID = re.compile(r"<critter\.(\d+)\.(\d+)@")
Key = tuple[int, int]  # (message, address): one delivery


def received(critter: Company, since: int = 0) -> list[Key]:
    """Every delivery that reached the other side, in the order it did, as often as it did; of the ledger's lines from
    `since` on."""
    lines = [line for line in critter.ledger()[since:] if line["kind"] in ACCEPTED and line.get("accepted", True)]
    signer = Signer(load(critter.environ).secret_keys)
    attempts = {line["seq"]: signer.read("status", line["callback"].rpartition("/")[2]) for line in lines
                if line["kind"] == "create"}  # fmt: skip
    with critter.engine.connect() as connection:
        rows = connection.execute(text("SELECT id, message_id, address_id FROM attempts"))
        of_attempt: dict[int, Key] = {row.id: (row.message_id, row.address_id) for row in rows}
    return [
        _mailed(line) if line["kind"] == "mail" else of_attempt[(attempts[line["seq"]] or (0,))[0]] for line in lines
    ]


def _mailed(line: dict[str, str]) -> Key:
    match = MESSAGE_ID.search(line["message_id"])
    assert match, line
    return int(match[1]), int(match[2])


def marked(critter: Company) -> set[Key]:
    with critter.engine.connect() as connection:
        rows = connection.execute(text("SELECT message_id, address_id FROM deliveries WHERE possible_duplicate"))
        return {(row.message_id, row.address_id) for row in rows}


def compare(critter: Company, since: int = 0) -> Counter[str]:
    """The ledger and the outbox are equal: what was sent arrived, once unless marked, and nothing else did. Counts."""
    arrived = Counter(received(critter, since))
    with critter.engine.connect() as connection:
        rows = connection.execute(text("SELECT message_id, address_id, state, possible_duplicate FROM deliveries"))
        outbox: dict[Key, Any] = {(row.message_id, row.address_id): row for row in rows}
    assert arrived.keys() <= outbox.keys(), "something arrived that was never in the outbox"
    twice = {key for key, count in arrived.items() if count > 1}
    assert {key for key in twice if not outbox[key].possible_duplicate} == set(), "sent twice without a mark"
    if not since:
        sent = {key for key, row in outbox.items() if row.state in ("sent", "delivered")}
        assert sent <= arrived.keys(), f"{len(sent - arrived.keys())} are said to be sent and never arrived"
    states = Counter(row.state for row in outbox.values())
    duplicates = sum(row.possible_duplicate for row in outbox.values())
    return Counter({**states, "arrived": arrived.total(), "arrived twice": len(twice), "marked": duplicates})
