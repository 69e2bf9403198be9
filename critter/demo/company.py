"""The demo company: made-up people with fictional numbers, for the tour. `critter up` loads it into an empty simulated
database; tests and the tour rely on who follows whom here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from critter.demo.pretend_followers import load_crowd as load_crowd
from critter.demo.pretend_followers import refuse_live
from gateway.channels import EMAIL, SMS
from gateway.errors import Refused
from gateway.language import nanoformats
from gateway.network.follows import follows
from gateway.network.people import accounts, addresses
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Account, Consent, Post, Tag

NUMBERS = "+14155550"  # 415 555 0100 to 0199 are for fiction
DOMAIN = "demo.example"  # RFC 2606: belongs to nobody
WORDING = "made up for the demo"
TIMEZONE = "America/New_York"
AGE = timedelta(days=30)  # how long they have been here
LOCK = 0x64656D6F


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One person. `number`: the last three digits of the phone; without one they read by mail alone."""

    handle: str
    name: str
    title: str
    number: str | None


@dataclass(frozen=True, slots=True)
class DemoGroup:
    """A group. Its `owner` posts in it when it is a broadcast group; `members` get it, on the phone if they have
    one."""

    handle: str
    name: str
    access: str
    owner: str
    members: str


PEOPLE = (
    DemoPerson("kim", "Kim Lee", "Consultant", "101"),
    DemoPerson("sam", "Sam Ortiz", "Sales", "102"),
    DemoPerson("priya", "Priya Nair", "Finance", None),
    DemoPerson("bob", "Bob Reyes", "Driver", "103"),
    DemoPerson("dana", "Dana Flores", "Dispatcher", "104"),
    DemoPerson("pat", "Pat Quinn", "Office manager", "105"),
    DemoPerson("dave", "Dave Okafor", "Engineer", "106"),
    DemoPerson("anne", "Anne Cole", "Account manager", "107"),
    DemoPerson("elena", "Elena Novak", "Marketing", "108"),
    DemoPerson("theo", "Theo Braun", "Driver", "109"),
    DemoPerson("rosa", "Rosa Silva", "Driver", "110"),
    DemoPerson("yuki", "Yuki Tanaka", "Designer", "111"),
    DemoPerson("omar", "Omar Haddad", "Sales", "112"),
    DemoPerson("zoe", "Zoë Martin", "People and culture", "113"),
)
EVERYBODY = " ".join(person.handle for person in PEOPLE)
GROUPS = (
    DemoGroup("sales", "Sales", "open", "anne", "omar elena"),
    DemoGroup("acme", "ACME", "open", "anne", "kim sam dave yuki omar"),
    DemoGroup("dispatch", "Dispatch", "broadcast", "dana", "bob theo rosa"),
    DemoGroup("hr", "HR news", "broadcast", "zoe", EVERYBODY),
    DemoGroup("lounge", "Lounge", "open", "pat", "kim dave elena yuki theo"),
    DemoGroup("board", "Board", "closed", "pat", "zoe omar"),
)
# Kim has four followers with phones and two with mailboxes: the tour counts on it.
BY_TEXT = {"sam": "kim", "anne": "kim sam", "dave": "kim", "pat": "kim dana", "omar": "sam", "theo": "rosa"}
BY_MAIL = {"priya": "kim omar", "elena": "kim anne", "zoe": "pat", "kim": "dave"}

# How many hours ago, who wrote what, where. The last is so old that no bare text counts as an answer to it.
POSTS = (
    (171, "zoe", "hr", "Welcome to Critter. Everyone here is made up, and so is every number."),
    (149, "anne", "sales", "Two visits booked for next week"),
    (147, "kim", None, "back from the workshop in Leeds, notes are in the shared folder"),
    (125, "dana", "dispatch", "North depot closes at 4 today"),
    (123, "omar", "sales", "The Harbor Hotel signed! #win"),
    (122, "elena", "sales", "New brochure is out, ask me for copies"),
    (101, "dave", "acme", "Test site is up, have a look before Thursday"),
    (99, "pat", "lounge", "Cake in the kitchen"),
    (77, "sam", None, "visiting customers in Oakland all day"),
    (75, "kim", None, "first numbers for ACME look good #acme"),
    (74, "pat", "board", "Agenda for the next meeting is ready"),
    (53, "dana", "dispatch", "Fuel cards are renewed, pick yours up"),
    (51, "kim", None, "meeting the finance people tomorrow morning"),
    (50, "yuki", "acme", "Second draft of the design is on the wall"),
    (29, "omar", "sales", "Pricing sheet has a new page for small shops"),
    (27, "dave", None, "the printer on floor 2 works again"),
    (26, "kim", None, "reading the ACME brief tonight #acme"),
    (3, "anne", "sales", "Call with the Harbor Hotel moved to Friday"),
)


def load(engine: Engine, settings: Settings | None = None) -> bool:
    """Fills an empty simulated database; False when it has accounts already. Raises Refused for a live one."""
    if settings is not None and settings.mode == "live":
        raise Refused("The demo company is only for simulated mode.")
    with transaction(engine) as session:
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))
        refuse_live(session)
        if session.scalar(select(Account.id).limit(1)) is not None:
            return False
        _load(session)
    return True


def _load(session: Session) -> None:
    ids = {person.handle: _add_person(session, person) for person in PEOPLE}
    ids |= {group.handle: _add_group(session, group, ids) for group in GROUPS}
    for by_text, heard in ((True, BY_TEXT), (False, BY_MAIL)):
        for follower, names in heard.items():
            for name in names.split():
                follows.follow(session, ids[follower], ids[name], by_text)
    accounts.set_role(session, ids["pat"], "admin")
    now = session.scalars(select(func.now())).one()
    session.execute(update(Account).values(created_at=now - AGE))
    for place, (hours, author, group, words) in enumerate(POSTS):
        _add_post(session, _id(now - timedelta(hours=hours), place), ids[author], ids[group] if group else None, words)


def _add_person(session: Session, person: DemoPerson) -> int:
    title = f"{person.title} (made up)"
    account = accounts.create_person(session, person.handle, person.name, title=title, timezone=TIMEZONE)
    rows = [addresses.add(session, account.id, EMAIL, f"{person.handle}@{DOMAIN}")]
    if person.number:
        rows.append(addresses.add(session, account.id, SMS, NUMBERS + person.number))
    for row in rows:
        row.introduced_at = func.now()
    session.add_all(Consent(address_id=row.id, kind="opt_in", wording=WORDING, source="demo") for row in rows)
    return account.id


def _add_group(session: Session, group: DemoGroup, ids: dict[str, int]) -> int:
    made = accounts.create_group(session, group.handle, group.name, group.access, ids[group.owner], by_text=True)
    role = "follower" if group.access == "broadcast" else "member"
    for handle in group.members.split():
        if handle != group.owner:
            follows.follow(session, ids[handle], made.id, group.handle != "hr", role=role)
    return made.id


def _id(moment: datetime, place: int) -> int:
    """The id that a row made at that time would have."""
    return int(moment.timestamp() * 1000) << 16 | place


def _add_post(session: Session, post_id: int, author_id: int, group_id: int | None, words: str) -> None:
    made = {"author_id": author_id, "group_id": group_id, "visibility": "group" if group_id else "company"}
    when = func.to_timestamp((post_id >> 16) / 1000)
    session.execute(insert(Post).values(id=post_id, text=words, via="sms", created_at=when, **made))
    tags = nanoformats.parse(words).tags
    if tags:
        session.execute(insert(Tag), [{"tag": tag, "post_id": post_id} for tag in tags])
