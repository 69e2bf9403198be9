"""Whom an address of a page names, and what the forms about them say: the way, the end."""

from datetime import date, datetime, timedelta
from typing import Final

from werkzeug.exceptions import BadRequest, NotFound

from gateway.attention.zones import zone
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import Phrase, say
from gateway.language.model.reading import NamedAccount
from gateway.language.words import durations
from gateway.network.follows import reachability
from gateway.network.people import accounts, way_choices
from gateway.network.people.directory import find_named
from gateway.store.tables import Account

# What a button is called, by the way that it stands for; its icon has the name of the way.
WAYS: Final = {
    "text": say("by text"),
    "mail": say("by mail"),
    "digest": say("in the digest"),
    "nothing": say("only here"),
}
ENDS: Final = {
    "": say("I stop it"), "till tomorrow": say("tomorrow"), "till friday": say("Friday"), "1w": say("in a week"),
    "4w": say("in a month"),
}  # fmt: skip
MUTES: Final = {"1h": say("an hour"), "till tomorrow": say("till tomorrow"), "1w": say("a week"), "": say("I end it")}
KEEP: Final = "keep"  # the end that there is already


def account(visit: Visit, handle: str) -> Account:
    """The active person or group of this handle; 404 when there is none."""
    found = accounts.by_handle(visit.session, handle)
    if found is None:
        raise NotFound
    return found


def named(visit: Visit, handle: str) -> NamedAccount:
    return find_named(account(visit, handle))


def group(visit: Visit, handle: str) -> Account:
    found = account(visit, handle)
    if found.kind != "group":
        raise NotFound
    return found


def person(visit: Visit, handle: str) -> NamedAccount:
    found = account(visit, handle)
    if found.kind != "person":
        raise NotFound
    return find_named(found)


def ways(visit: Visit) -> dict[str, Phrase]:
    """Those in which something can come to the reader: texts need a phone, mails a mailbox, a digest one of the two."""
    phone = reachability.has_phone(visit.session, visit.account.id)
    mailbox = way_choices.has_mailbox(visit.session, visit.account.id)
    able = {"text": phone, "mail": mailbox, "digest": phone or mailbox, "nothing": True}
    return {way: called for way, called in WAYS.items() if able[way]}


def chosen_way(visit: Visit) -> str:
    way = visit.form("way", 10) or visit.arg("way", 10)
    if way not in WAYS:
        raise BadRequest
    return way


def chosen_end(visit: Visit, now: datetime | None = None) -> datetime | None:
    """The end that the form chose: one of ours, or as a text has it ("2h", "till 9"); `now`: the end that there is."""
    written = visit.form("until", 40) or visit.arg("until", 40)
    if written == KEEP:
        return now
    if not written:
        return None
    canonical = durations.duration(written.casefold())
    if canonical is None:
        raise BadRequest
    return durations.ends(canonical, datetime.now(zone(visit.account.zone_now)))


def local(visit: Visit, moment: datetime) -> datetime | Phrase:
    """The moment by the reader's clock, as a sentence has it. A weekday says which day is meant for six days only."""
    there = moment.astimezone(zone(visit.account.zone_now))
    near = there.date() - datetime.now(there.tzinfo).date() < timedelta(days=7)
    return there if near else say("{time}, {day}", time=there, day=there.date())


def local_day(visit: Visit, moment: datetime) -> date:
    return moment.astimezone(zone(visit.account.zone_now)).date()
