"""What the database knows about an unproved mail, and what is done with it once its sender trust was evaluated.

workers/mail_auth calls `case` before it asks DNS, outside of any transaction, and `settle` after."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.ledger.inbox import replays, unauthenticated
from gateway.ledger.inbox.unauthenticated import Unproved
from gateway.mail.auth import named_recipients, replay_keys, trace_headers
from gateway.mail.auth.dmarc import Envelope
from gateway.mail.auth.sender_trust import KnownBeforeDns, SenderTrust
from gateway.mail.decode import mime
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.network.mail import confirmations, mail_addresses, secret_addresses
from gateway.network.mail.mail_addresses import Recipient
from gateway.network.people import accounts, addresses
from gateway.security.signed_tokens import Signer
from gateway.store.tables import Account, Address, Inbound

PATIENCE: Final = timedelta(hours=1)  # how long a DNS that does not answer is asked again
PAUSES: Final = (
    timedelta(seconds=30),
    timedelta(minutes=10),
)  # between two tries: as long as it has waited, within these bounds
STRANGER: Final = "a stranger, and not proved"


@dataclass(frozen=True, slots=True)
class VerificationCase:
    """One mail before the evaluation. `standing` is set already when no evaluation is needed."""

    one: Unproved
    to: list[Recipient]
    came: Envelope
    mail: ReceivedMail
    known: KnownBeforeDns
    standing: SenderTrust | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """What its writer wrote (empty when nobody will ask), why no person did, who is in To and Cc, whether it bears a
    signature, and by which keys the mail is recognised again (mail/auth/replay_keys)."""

    words: str
    machine: str | None
    named: frozenset[str] = frozenset()
    signed: bool = False
    marks: tuple[bytes, ...] = ()


def case(session: Session, signer: Signer, one: Unproved, mail: ReceivedMail | None = None) -> VerificationCase:
    """What is known of a mail before DNS is asked. `mail`: the mail itself, when the caller has decoded it already."""
    to = _read(one.recipients, signer)
    came, octets = trace_headers.read(one.raw)
    mail = mail or ReceivedMail(octets)
    if any(each.kind == "confirm" for each in to):
        return VerificationCase(one, to, came, mail, KnownBeforeDns(), _by_token(session, to, one.sender))
    secrets = [each.secret for each in to if each.secret]
    posting = _posting(session, secrets, one.sender) if secrets else None
    return VerificationCase(one, to, came, mail, KnownBeforeDns(posting=posting))


def settle(
    session: Session, signer: Signer, case: VerificationCase, standing: SenderTrust, parsed: Parsed | None = None
) -> tuple[str, frozenset[str]]:
    """Writes the verdict: the new state of the row ("later": it is tried again), and the queues to wake after the
    commit. The secret address is replaced here: from now on the mail went to post@. `parsed`: what `parse` returned,
    outside of the transaction."""
    row = unauthenticated.take(session, case.one)
    if row is None:  # another worker has it by now
        return "lost", frozenset()
    waited = datetime.now(UTC) - row.received_at
    if standing.later and waited < PATIENCE:
        unauthenticated.put_off(session, row, min(max(waited, PAUSES[0]), PAUSES[1]))
        return "later", frozenset()
    parsed = parsed or parse(case, standing)
    standing = judge_delivery(session, signer, case, standing, parsed)
    unauthenticated.readdress(row, secret_addresses.redact(row.recipients))
    if standing.proof and _takes_effect(session, row, case, standing, parsed):
        unauthenticated.end(row, "new", standing.proof, None)
        return "new", frozenset({"inbound"})
    if standing.proof:
        unauthenticated.end(row, "held", standing.proof, replays.AGAIN)
        return "held", frozenset()
    return _unproved(session, row, case.to, standing.reason, parsed)


LEFT_OUT: Final = "it was written to more of our addresses than this delivery came to"


def judge_delivery(
    session: Session, signer: Signer, case: VerificationCase, standing: SenderTrust, parsed: Parsed
) -> SenderTrust:
    """A signature does not prove a delivery that leaves out some of our addresses to which its writer wrote. Otherwise
    whoever got a mail that was addressed to a colleague and to everybody could send it on to everybody alone."""
    if not standing.signed:
        return standing
    ours = _read(_left_out(case, parsed.named), signer)
    return SenderTrust(None, LEFT_OUT) if any(_means_something(session, each) for each in ours) else standing


def _left_out(case: VerificationCase, named: frozenset[str]) -> list[str]:
    """Those of the addresses in To and Cc that are in our domain, and that this delivery did not come to."""
    came_to = {each.lower() for each in case.one.recipients}
    domains = {each.rpartition("@")[2] for each in came_to}
    return [each for each in named - came_to if each.rpartition("@")[2] in domains]


def _means_something(session: Session, recipient: Recipient) -> bool:
    """Whether the door would have accepted it; a wrong address was refused to its writer, and does not count here."""
    if recipient.secret:
        return secret_addresses.owner(session, recipient.secret) is not None
    return not recipient.handle or accounts.by_handle(session, recipient.handle) is not None


def parse(case: VerificationCase, standing: SenderTrust) -> Parsed:
    """Parses the mail outside of any transaction; this takes a second for the largest mails. The words are read only of
    a mail that may be held, for then its sender is asked about them."""
    mail = case.mail
    if mail.refused:
        return Parsed("", mail.refused)
    fields = [*mime.fields(mail.message, "To"), *mime.fields(mail.message, "Cc")]
    to = frozenset(each for field in fields for each in named_recipients.read_addresses(field))
    marks = tuple(replay_keys.compute(mail.octets, mail.message, case.one.sender))
    proved = standing.proof and not (standing.signed and _left_out(case, to))
    words = "" if proved else mail.words.text
    machine = mail.machine(null_sender=not case.came.sender)
    return Parsed(words, machine, to, replay_keys.is_signed(mail.message), marks)


def _takes_effect(
    session: Session, row: Inbound, case: VerificationCase, standing: SenderTrust, parsed: Parsed
) -> bool:
    """False for a mail that came before. Whoever got a signed mail can send it once more, with other fields and in
    another envelope, and its signature is still valid; nobody's words may take effect twice. A machine's mail has no
    effect, so it keeps no later mail out: signs of a machine are the one thing that anybody can add."""
    if parsed.machine:
        return True
    new = replays.claim(session, row.id, parsed.marks) or not parsed.signed
    return standing.proof != "dmarc" or (new and not (row.flagged and _came_before(session, row, case)))


def _came_before(session: Session, row: Inbound, case: VerificationCase) -> bool:
    """Whether the same octets came before in another envelope. This finds mails without a signature, and those from
    before signatures were kept."""
    earlier = select(Inbound.raw).where(
        Inbound.channel == "email",
        Inbound.message_id == row.message_id,
        Inbound.sender == row.sender,
        Inbound.id < row.id,
        Inbound.state != "dropped",
        Inbound.raw.is_not(None),
    )
    raws = session.scalars(earlier.order_by(Inbound.id.desc()).limit(MOST_BEFORE))
    return any(trace_headers.read(raw or b"").mail == case.mail.octets for raw in raws)


MOST_BEFORE: Final = 5


def _read(written: list[str], signer: Signer) -> list[Recipient]:
    read = (mail_addresses.read(each.rpartition("@")[0] or each, signer) for each in written)
    return [each for each in read if each]


def _by_token(session: Session, to: list[Recipient], sender: str) -> SenderTrust:
    """Proves an answer to our question whether somebody wrote a mail, by what only their mailbox was told."""
    known = addresses.identify(session, "email", sender)
    ids = {each.ids[1] for each in to if each.kind == "confirm"}
    if known and ids == {known[0].id} and len(to) == 1:
        return SenderTrust("token", "it answers a question that only this mailbox was asked")
    return SenderTrust(None, "the question that it answers was asked of somebody else, or it went elsewhere too")


def _posting(session: Session, secrets: list[str], sender: str) -> Literal["own", "foreign"]:
    known = addresses.identify(session, "email", sender)
    verified = known is not None and known[0].state == "verified"
    owners = {secret_addresses.owner(session, each) for each in secrets}
    return "own" if verified and known and owners == {known[1].id} else "foreign"


def _unproved(
    session: Session, row: Inbound, to: list[Recipient], reason: str, parsed: Parsed
) -> tuple[str, frozenset[str]]:
    """Ends a mail that nothing proves. Mail for the operator waits for them; a member is asked. From strangers and
    machines nothing is kept, and nobody is written to. A member is not asked about words of theirs that were read
    already: they would say yes, and the words would be read twice."""
    known = addresses.identify(session, "email", row.sender)
    if known is None:
        state = "held" if any(each.kind == "operator" for each in to) else "dropped"
        unauthenticated.end(row, state, None, f"{STRANGER}: {reason}")
        return state, frozenset()
    unauthenticated.attribute(row, known[1].id)
    machine = parsed.machine
    if machine or any(each.kind == "confirm" for each in to):
        unauthenticated.end(row, "dropped", None, f"a machine's ({machine}), and not proved" if machine else reason)
        return "dropped", frozenset()
    if parsed.signed and replays.came_before(session, row.id, parsed.marks):
        unauthenticated.end(row, "held", None, replays.AGAIN)
        return "held", frozenset()
    return "held", _held(session, row, known, parsed.words, reason)


def _held(session: Session, row: Inbound, known: tuple[Address, Account], words: str, reason: str) -> frozenset[str]:
    if not words or not confirmations.may_ask(session, row):
        unauthenticated.end(
            row, "held", None, f"{reason}; its sender was not asked" + ("" if words else ": it has no words")
        )
        return frozenset()
    unauthenticated.end(row, "held", confirmations.ASKED, f"{reason}; its sender was asked")
    return frozenset({confirmations.ask(session, row, *known, words)})
