"""The made-up company that the conversations in tests/conversations/ play in."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.orm import Session

from gateway.network import accounts, addresses, follows

NUMBER = "+14155550100"  # ours
DOMAIN = "mail.example"


@dataclass(frozen=True)
class Person:
    handle: str
    name: str
    phone: str | None
    mailbox: str | None


def _person(number: int, handle: str, name: str, channels: str) -> Person:
    phone = f"+1415555{100 + number:04}" if "phone" in channels else None
    return Person(handle, name, phone, f"{handle}@demo.example" if "mail" in channels else None)


PEOPLE = [
    _person(1, "kim", "Kim Lee", "phone mail"),
    _person(2, "sam", "Sam Ortiz", "phone"),
    _person(3, "priya", "Priya Nair", "mail"),
    _person(4, "bob", "Bob Reyes", "phone"),
    _person(5, "dana", "Dana Wu", "phone"),
    _person(6, "pat", "Pat Quinn", "phone mail"),
    _person(7, "dave", "Dave Okafor", "mail"),
    _person(8, "anne", "Anne Cole", "phone mail"),
]
GROUPS = [("sales", "sales", "open"), ("acme", "ACME", "open"), ("dispatch", "dispatch", "broadcast")]
GROUPS += [("board", "board", "closed")]
# who, whom, role, by text
FOLLOWS = [
    ("sam", "kim", None, True),
    ("priya", "kim", None, False),
    ("pat", "sales", None, True),
    ("kim", "acme", None, True),
    ("sam", "acme", None, True),
    ("dana", "dispatch", "owner", True),
    ("bob", "dispatch", None, True),
    ("anne", "board", "owner", True),
    ("dave", "board", "member", False),
]


def assemble(session: Session) -> None:
    """Writes the company into an empty database."""
    ids = {handle: accounts.create_group(session, handle, name, access).id for handle, name, access in GROUPS}
    for person in PEOPLE:
        ids[person.handle] = account = accounts.create_person(session, person.handle, person.name).id
        for channel, address in (("sms", person.phone), ("email", person.mailbox)):
            if address:
                addresses.add(session, account, channel, address).introduced_at = func.now()
    for who, whom, role, by_text in FOLLOWS:
        follows.follow(session, ids[who], ids[whom], by_text, role=role)
