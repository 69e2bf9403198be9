"""Phones and mailboxes: whose they are, and whether anything may be sent to them. Doors, handlers and the import call
it."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult
from sqlalchemy import bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.channels import CHANNELS, EMAIL, ONLY_IF_CHOSEN, SMS
from gateway.errors import Refused
from gateway.i18n.refusals import refusal
from gateway.ledger.audit import audit_log
from gateway.ledger.outbox import cancellations
from gateway.sms import destinations
from gateway.store.channel_sql import rank_of
from gateway.store.database import new_ids
from gateway.store.tables import Account, Address, Bouncing, Consent, Delivery, Message, Sender
from gateway.typed_input import ascii_domain, clean_input, strip_invisible

NOUN = {each.name: each.address for each in CHANNELS.values()}
SOURCE = {each.name: each.noun for each in CHANNELS.values()}  # what an opt-in or opt-out came by
LAST_OWNER = "(the one who had it before opted out)"
WROTE_FIRST = "(answered)"  # its words may be private and are not kept here; the message it answered is
LONGEST_MAILBOX = 254  # RFC 5321, section 4.5.3.1.3
_DIALLED = re.compile(r"[+\uff0b\d\s().\-/\u2010-\u2015\u2212\uff08\uff09\uff0d-\uff0f]+")
_WIDE_AT = "\uff20"
_LOCAL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_MAILBOX = re.compile(rf"(?=.{{1,64}}@){_LOCAL}@(?:{_LABEL}\.)+{_LABEL}")


def normal_phone(text: str, region: str) -> str:
    """E.164 of a number as people of `region` (ISO 3166) write it; raises Refused. A number only has to be possible:
    new blocks are in use before the library knows them."""
    wrong = refusal("bad_phone")
    text = clean_input(text)
    if not _DIALLED.fullmatch(text):
        raise wrong
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        raise wrong from None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise wrong
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def reachable_phone(text: str, region: str, countries: Collection[str]) -> str:
    """As normal_phone, for a phone that texts may be sent to."""
    number = normal_phone(text, region)
    refuse_unreachable(number, countries)
    return number


def refuse_unreachable(number: str, countries: Collection[str]) -> None:
    """Raises Refused when an E.164 number is in none of the `countries`, or a service number."""
    match destinations.trouble(number, countries):
        case destinations.UnreachableReason.SERVICE:
            raise Refused(f"The phone ending in {number[-4:]} is a service number, or too short: nobody's own phone.")
        case destinations.UnreachableReason.COUNTRY:
            place = destinations.country(number)
            raise Refused(
                f"The phone ending in {number[-4:]} is in {place}, and texts go to {', '.join(countries)} alone: "
                "CRITTER_SMS_COUNTRIES says where."
            )


def normal_mailbox(text: str) -> str:
    """A mailbox in lower case, its domain in the form of the DNS; raises Refused."""
    local, at, domain = strip_invisible(text.replace(_WIDE_AT, "@")).rpartition("@")
    try:
        mailbox = f"{_local_part(local)}{at}{ascii_domain(domain)}" if domain == domain.strip() else ""
    except ValueError:
        mailbox = ""
    if len(mailbox) > LONGEST_MAILBOX or not _MAILBOX.fullmatch(mailbox):
        raise refusal("bad_mailbox")
    return mailbox


def _local_part(written: str) -> str:
    joined = written.replace("\u200c", "").replace("\u200d", "")
    return unicodedata.normalize("NFKC", joined).lower()


def channel_of(written: str) -> str:
    """Which channel the written address can only belong to, by its @."""
    return EMAIL if "@" in written or _WIDE_AT in written else SMS


def identify(session: Session, channel: str, address: str) -> tuple[Address, Account] | None:
    """Whose phone or mailbox this is: the active account, by an address that is not suspended. One that has opted out
    still tells who writes."""
    found = session.execute(IDENTIFY, {"channel": channel, "address": address}).one_or_none()
    return None if found is None else (found[0], found[1])


# Built once, for it runs for nearly every text.
IDENTIFY: Final = (
    select(Address, Account)
    .join(Account, Account.id == Address.account_id)
    .where(Address.channel == bindparam("channel"), Address.address == bindparam("address"))
    .where(Address.state != "suspended", Account.state == "active")
)


def find(session: Session, channel: str, address: str) -> Address | None:
    """The row of a (normalised) phone or mailbox, if we know it, locked until the transaction ends."""
    one = select(Address).where(Address.channel == channel, Address.address == address)
    return session.scalars(one.with_for_update()).one_or_none()


def ensure(
    session: Session, channel: str, address: str, account_id: int | None = None, state: str = "invited"
) -> Address:
    """The row of an address, locked, whoever has it. It is made when missing, also for a stranger, so that an opt-out
    can be kept with it."""
    new = insert(Address).values(account_id=account_id, channel=channel, address=address, state=state)
    session.execute(new.on_conflict_do_nothing())
    one = select(Address).where(Address.channel == channel, Address.address == address)
    return session.scalars(one.with_for_update().execution_options(populate_existing=True)).one()


def add(
    session: Session, account_id: int, channel: str, address: str, state: str = "verified", primary: bool = False
) -> Address:
    """Gives an account a (normalised) phone or mailbox; the first of a channel is its primary one. One that is theirs
    stays as it is, except that an invited one may become verified. Raises Refused when it is somebody else's."""
    row = ensure(session, channel, address, account_id, state)
    if row.account_id != account_id:
        row = _take_over(session, row, account_id, state)
    elif row.state == "invited":
        row.state = state
    if primary or _primary(session, account_id, channel) is None:
        make_primary(session, row)
    session.flush()
    return row


def _take_over(session: Session, row: Address, account_id: int, state: str) -> Address:
    owner = session.get(Account, row.account_id) if row.account_id else None
    if owner is not None and owner.state != "deactivated":
        raise Refused(f"That {NOUN[row.channel]} belongs to somebody else.")
    if owner is not None:
        row = retire(session, row)
    row.account_id = account_id
    row.state = "stopped" if row.stopped_at else state
    return row


def retire(session: Session, row: Address) -> Address:
    """Frees a number or mailbox that has a new owner: what its old owner was sent stays with the old row, under another
    name, and a new row begins. Only an opt-out is carried over; START from the new owner ends it."""
    channel, address, stopped_at = row.channel, row.address, row.stopped_at
    row.address, row.state, row.is_primary = f"{address} until {row.id}", "suspended", False
    session.flush()
    fresh = ensure(session, channel, address)
    if stopped_at is not None:
        fresh.stopped_at = stopped_at
        _keep(session, fresh, "opt_out", LAST_OWNER, None, None, "import")
    return fresh


def make_primary(session: Session, row: Address) -> None:
    """Makes it the one of its channel to which items are sent."""
    mine = update(Address).where(Address.account_id == row.account_id, Address.channel == row.channel)
    session.execute(mine.where(Address.is_primary, Address.id != row.id).values(is_primary=False))
    row.is_primary = True
    session.flush()


def primary(session: Session, account_id: int, channel: str) -> Address | None:
    """The phone or mailbox of this channel to which items are sent, whatever its state."""
    return _primary(session, account_id, channel)


def _primary(session: Session, account_id: int, channel: str) -> Address | None:
    mine = select(Address).where(Address.account_id == account_id, Address.channel == channel, Address.is_primary)
    return session.scalars(mine).one_or_none()


def of_account(session: Session, account_id: int) -> Sequence[Address]:
    """All phones and mailboxes, primary ones first; devices that get pushes are no address that somebody gave."""
    mine = select(Address).where(Address.account_id == account_id, Address.channel.not_in(ONLY_IF_CHOSEN))
    return session.scalars(mine.order_by(rank_of(Address.channel).desc(), Address.is_primary.desc(), Address.id)).all()


def own(session: Session, account_id: int, address_id: int) -> Address:
    """The phone or mailbox of this person with that id; raises Refused for any other."""
    mine = select(Address).where(Address.id == address_id, Address.account_id == account_id)
    if (found := session.scalars(mine).one_or_none()) is None:
        raise refusal("address_gone")
    return found


class Heard(NamedTuple):
    """`answered`: an invited address is verified by it. `awaited`: their digest was to come when they are back."""

    answered: bool
    awaited: bool


def seen(session: Session, address_id: int, our_number: str | None = None, carrier_id: str | None = None) -> Heard:
    """Records that it wrote to us just now. An invited one has thereby answered: it is verified. A phone that has no
    number of ours yet gets the one that it wrote to."""
    row = session.get_one(Address, address_id)
    awaited = bool(session.scalar(SEEN, {"address": address_id}))
    session.expire(row, ["seen_at"])
    if our_number and row.sender_id is None and row.channel == SMS:
        mine = select(Sender.id).where(Sender.number == our_number, Sender.state == "active")
        row.sender_id = session.scalar(mine)
    answered = row.state == "invited"
    if answered:
        row.state = "verified"
        wording = f"{WROTE_FIRST} {_welcome(session, row.id)}".strip()
        _keep(session, row, "opt_in", wording, our_number, carrier_id, SOURCE[row.channel])
    session.flush()
    return Heard(answered, awaited)


# Whether something waits for that is asked by the same statement: every text and mail of a person comes here.
SEEN: Final = text("""
    UPDATE addresses SET seen_at = now() WHERE id = :address
    RETURNING EXISTS (
        SELECT FROM attention w
        WHERE w.account_id = addresses.account_id AND w.digest_back AND w.digest_every = 'day')
""")


def _welcome(session: Session, address_id: int) -> str:
    """What its owner was asked, when they were asked: a yes means yes to that."""
    asked = select(Message.text).join(Delivery, Delivery.message_id == Message.id)
    mine = asked.where(Delivery.address_id == address_id, Message.kind == "welcome")
    return session.scalar(mine.order_by(Message.id.desc()).limit(1)) or ""


def stop(
    session: Session,
    row: Address,
    wording: str,
    our_address: str | None = None,
    carrier_id: str | None = None,
    source: str = "text",
) -> bool:
    """Opts the address out at once, keeps the words, and cancels what has not left; False when it was out before."""
    first = row.stopped_at is None
    if first:
        row.stopped_at = func.now()
    if row.state != "suspended":
        row.state = "stopped"
    _keep(session, row, "opt_out", wording, our_address, carrier_id, source)
    cancellations.cancel_open(session, select(Address.id).where(Address.id == row.id), "stopped")
    return first


def start(
    session: Session,
    row: Address,
    wording: str,
    our_address: str | None = None,
    carrier_id: str | None = None,
    source: str = "text",
) -> bool:
    """Opts it in and keeps the words; False when it was in before. A suspended one stays suspended."""
    again = row.stopped_at is not None
    row.stopped_at = None
    if row.state != "suspended":
        row.state = "verified"
    _keep(session, row, "opt_in", wording, our_address, carrier_id, source)
    return again


def _keep(
    session: Session,
    row: Address,
    kind: str,
    wording: str,
    our_address: str | None,
    carrier_id: str | None,
    source: str,
) -> None:
    """Every opt-out is audited by the code that keeps it, because only a process can compute the hash of the audit
    row."""
    words = {"wording": wording, "our_address": our_address, "carrier_id": carrier_id, "source": source}
    consent = Consent(address_id=row.id, kind=kind, **words)
    if kind == "opt_out":
        [consent.id] = new_ids(session, 1)
        consent.audit_id = audit_log.record(session, source, "address.opt_out", row.id, {"consent": str(consent.id)})
    session.add(consent)
    session.flush()


def agree(
    session: Session,
    row: Address,
    wording: str,
    source: str,
    our_address: str | None = None,
    carrier_id: str | None = None,
) -> None:
    """Keeps the words of a consent: in a text or a mail, on a form, in a file. It ends no opt-out."""
    _keep(session, row, "opt_in", wording, our_address, carrier_id, source)


def tie(
    session: Session,
    account_id: int,
    channel: str,
    address: str,
    wording: str,
    our: str | None = None,
    carrier_id: str | None = None,
) -> Address:
    """Gives the person a phone or mailbox that was proved to be theirs. Raises Refused when it is somebody else's; an
    opt-out stays until START."""
    row = add(session, account_id, channel, address)
    if row.state in ("invited", "suspended"):
        row.state = "stopped" if row.stopped_at else "verified"
    row.bouncing_since, row.seen_at = None, func.now()  # it was proved just now, which counts as a sign of life
    session.execute(delete(Bouncing).where(Bouncing.address_id == row.id))
    _keep(session, row, "opt_in", wording, our, carrier_id, SOURCE[channel])
    return row


def set_receiving(session: Session, address_id: int, on: bool, until: datetime | None = None) -> None:
    """`on` and `off` for everything; `until`: when an `off` ends by itself."""
    row = session.get_one(Address, address_id)
    row.receiving, row.off_until = on, None if on else until
    session.flush()


def receiving_now(session: Session, address_id: int) -> dict[str, Any]:
    """What `off` and `on` would change, in the form from which `undo` restores it."""
    row = session.get_one(Address, address_id)
    return {"receiving": row.receiving, "until": row.off_until.isoformat() if row.off_until else None}


def restore_receiving(session: Session, row: Address, receiving: bool, until: str | None) -> None:
    """Restores what `receiving_now` returned."""
    row.receiving, row.off_until = receiving, datetime.fromisoformat(until) if until else None
    session.flush()


def owner_suspended(session: Session, channel: str, address: str) -> bool:
    """Whether this is the phone or mailbox of somebody who may do nothing for now."""
    owned = select(Account.state).join(Address, Address.account_id == Account.id)
    return session.scalar(owned.where(Address.channel == channel, Address.address == address)) == "suspended"
