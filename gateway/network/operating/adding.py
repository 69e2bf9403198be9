"""Adds one person with their phones, mailboxes, groups and follows. `critter people add` and the page for it call it;
many are added from a file (people_imports.py)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from gateway.channels import EMAIL, SMS
from gateway.errors import Refused
from gateway.i18n.phrases import say
from gateway.ledger.audit import audit_log
from gateway.network.follows import follows
from gateway.network.people import accounts, addresses
from gateway.network.people.imports import csv_file
from gateway.settings import Settings
from gateway.store.tables import Account
from gateway.typed_input import show_escaped, strip_invisible


@dataclass(frozen=True, slots=True)
class NewPerson:
    """As it was typed. `phones`, `mailboxes`: the first is the primary one; `consent`: the words with which they agreed
    to texts; without them a phone is invited, and gets one text that welcomes it. `groups`, `follows`: handles."""

    handle: str
    name: str
    title: str = ""
    phones: Sequence[str] = ()
    mailboxes: Sequence[str] = ()
    consent: str = ""
    groups: Sequence[str] = ()
    follows: Sequence[str] = ()
    language: str = "en"
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class AddedPerson:
    """`by_text`: updates may go to their phone already."""

    account: Account
    by_text: bool


def add(session: Session, settings: Settings, new: NewPerson, actor: str, reserved: Collection[str]) -> AddedPerson:
    """Raises Refused for what is taken, wrong or missing; then nothing was added."""
    consent = strip_invisible(new.consent)
    if consent and not new.phones:
        raise Refused(say("Their consent is about a phone: give its number, too."))
    person = accounts.create_person(
        session,
        new.handle,
        new.name,
        title=accounts.clean_name(new.title) if new.title else None,
        language=csv_file.language(new.language) or "en",
        timezone=csv_file.timezone(new.timezone) or "UTC",
        reserved=reserved,
    )
    by_text = _reach(session, settings, person, new, consent)
    _enrol(session, person, new.groups, by_text=by_text, member=True)
    _enrol(session, person, new.follows, by_text=by_text, member=False)
    audit_log.record(session, actor, "people.add", person.id, {"handle": person.handle})
    return AddedPerson(person, by_text)


def _reach(session: Session, settings: Settings, person: Account, new: NewPerson, consent: str) -> bool:
    """Adds their phones and mailboxes; returns whether texts may be sent to the primary phone."""
    for written in new.mailboxes:
        addresses.add(session, person.id, EMAIL, addresses.normal_mailbox(written))
    for written in new.phones:
        number = addresses.reachable_phone(written, settings.sms_region, settings.sms_countries)
        row = addresses.add(session, person.id, SMS, number, "verified" if consent else "invited")
        if consent and row.state == "verified":
            addresses.agree(session, row, consent, "import")
    primary = addresses.primary(session, person.id, SMS)
    return primary is not None and primary.state == "verified"


def _enrol(session: Session, person: Account, names: Sequence[str], *, by_text: bool, member: bool) -> None:
    """Makes the person follow the named ones; as a member, which takes a group."""
    for name in names:
        source = _source(session, name, member=member)
        role = "member" if member or source.access in ("open", "closed") else "follower"
        follows.follow(session, person.id, source.id, by_text, role=role)


def _source(session: Session, name: str, *, member: bool) -> Account:
    found = accounts.by_handle(session, name)
    if found is None or (member and found.kind != "group"):
        handle = show_escaped(name.lstrip("@#")[:40])
        if member:
            raise Refused(say("There is no group #{handle}: critter groups list shows all.", handle=handle))
        raise Refused(say("There is no account @{handle}: critter people list shows who there is.", handle=handle))
    return found
