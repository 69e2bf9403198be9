"""`critter people link`: links a new phone or mailbox to somebody, proved by a code (R38)."""

from __future__ import annotations

from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.channels import EMAIL
from gateway.errors import Refused

if working():
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from critter.administration.accounts import account
    from critter.console import prompts
    from critter.console.console import open_session, operator_name
    from gateway.i18n.phrases import say, translated
    from gateway.ledger.audit import audit_log
    from gateway.ledger.outbox import cancellations, outbox
    from gateway.ledger.outbox.outbox import Outgoing, Target
    from gateway.network.conversation import notices
    from gateway.network.operating import people as operating
    from gateway.network.people import accounts, addresses
    from gateway.network.verification import codes, lockouts
    from gateway.queue.worker_notifier import WorkerNotifier
    from gateway.security.signed_tokens import Signer
    from gateway.settings import Settings, load
    from gateway.store.tables import Account, Address

ALIVE = ("verified", "invited", "stopped")
WORDING = "a code that was sent there was given to an operator"


def link(
    handle: Annotated[str, typer.Argument(metavar="HANDLE")],
    address: Annotated[
        str | None, typer.Argument(metavar="[PHONE|MAILBOX]", help="Send a code there; else one is shown.")
    ] = None,
    code: Annotated[bool, typer.Option("--code", help="Asks for the code that was sent.")] = False,
    piped: Annotated[
        bool, typer.Option("--stdin", help="With --code: it is the first line of standard input.")
    ] = False,
) -> None:
    """Tie a new phone or mailbox to somebody, once it is proved to be theirs.

    Without an address a code is shown for ten minutes: whoever has the new phone texts it to us. With one, a code is
    sent there, and --code, which asks for it here, ties it."""
    settings = load()
    signer = Signer(settings.secret_keys)
    if piped and not code:
        raise Refused("--stdin goes with --code.")
    typed = prompts.secret("Code", piped=piped, twice=False) if code else None
    with open_session(settings) as session:
        person = account(session, handle, "person")
        if typed is not None:
            result = _take(session, signer, person, typed)
        elif address is not None:
            result = _send(session, settings, signer, person, address)
        else:
            result = _show(session, settings, signer, person)
    _notify(settings)
    typer.echo(result)
    if typed is not None and result == WRONG:
        raise typer.Exit(1)


def unlink(
    address: Annotated[str, typer.Argument(metavar="PHONE|MAILBOX")],
    yes: Annotated[bool, typer.Option("--yes", help="Does not ask.")] = False,
) -> None:
    """Take a phone or mailbox from whoever has it, so that it can be given to somebody else.

    Its owner keeps everything else and is told on another channel. A phone that only changes hands inside the company
    is given on by its owner: `link` with a code from the new one."""
    settings = load()
    with open_session(settings) as session:
        row, owner = _owned(session, _found(settings, address))
        question = f"Take this {addresses.NOUN[row.channel]} from @{owner.handle} ({owner.name})?"
        if not yes:
            prompts.confirm(question)
        result = _part(session, row, owner)
    _notify(settings)
    typer.echo(result)


def _owned(session: Session, found: tuple[str, str]) -> tuple[Address, Account]:
    row = addresses.find(session, *found)
    owner = accounts.by_id(session, row.account_id) if row and row.account_id else None
    if row is None or owner is None:
        raise Refused("Nobody has that phone or mailbox.")
    return row, owner


def _part(session: Session, row: Address, owner: Account) -> str:
    """Takes it away: what its owner was sent stays with them; what has not left is not sent there any more."""
    channel, was_primary = row.channel, row.is_primary
    cancellations.cancel_open(session, select(Address.id).where(Address.id == row.id), "deactivated")
    addresses.retire(session, row)
    left = [each for each in addresses.of_account(session, owner.id) if each.channel == channel and each.state in ALIVE]
    if was_primary and left:
        addresses.make_primary(session, left[0])
    audit_log.record(session, operator_name(), "address.unlink", owner.id, {"channel": channel})
    notice = say("An operator took a phone or mailbox off your account. If it is still yours, tell them.")
    elsewhere = notices.tell(session, {owner.id}, notice)
    noun, reached = addresses.NOUN[channel], "was told" if elsewhere else "has nothing else on which to be told"
    return f"The {noun} is nobody's now. @{owner.handle} {reached}. Next: critter people link HANDLE"


def _notify(settings: Settings) -> None:
    notifier = WorkerNotifier(settings.redis_url)
    for channel in addresses.NOUN:
        notifier.notify(channel)
    notifier.close()


WRONG = "That code is wrong, or older than ten minutes: nothing was changed. After five wrong ones send a new one."


def _show(session: Session, settings: Settings, signer: Signer, person: Account) -> str:
    code = operating.make_link_code(session, signer, person, operator_name())
    to = [f"text it to {settings.sms_numbers[0]}"] if settings.sms and settings.sms_numbers else []
    to += [f"mail it to post@{settings.mail_domain}"] if settings.mail else []
    return f"link {code}\nFrom the new phone or mailbox of @{person.handle} {' or '.join(to)}, within 10 minutes, once."


def _send(session: Session, settings: Settings, signer: Signer, person: Account, written: str) -> str:
    """Sends the code to the new address; it is never shown here."""
    channel, normal = _found(settings, written)
    row = addresses.ensure(session, channel, normal)
    _refuse_others(session, row, person)
    code = codes.prove(session, signer, row, person.id)
    words, subject = (
        translated(each, person.language)
        for each in (
            say(
                "Your code for {company}'s Critter: {code}. Give it to whoever asked you for it within 10 minutes.",
                company=settings.company,
                code=code,
            ),
            say("Your code"),
        )
    )
    message = Outgoing("code", words, subject, words, priority=0, must_arrive=True)
    outbox.put(session, message, [Target(row.id, channel)])
    audit_log.record(session, operator_name(), "address.code", person.id, {"purpose": "prove", "channel": channel})
    return f"A code is on its way. Then: critter people link {person.handle} --code"


def _found(settings: Settings, written: str) -> tuple[str, str]:
    """The channel of an address as it was typed, and the form in which it is kept."""
    channel = addresses.channel_of(written)
    return channel, addresses.normal_mailbox(written) if channel == EMAIL else _phone(written, settings)


def _phone(written: str, settings: Settings) -> str:
    return addresses.reachable_phone(written, settings.sms_region, settings.sms_countries)


def _refuse_others(session: Session, row: Address, person: Account) -> None:
    owner = accounts.by_id(session, row.account_id) if row.account_id else None
    if owner and owner.id != person.id and owner.state != "deactivated":
        raise Refused(
            f"That is @{owner.handle}'s, and is never moved by a code alone. If they agree: critter people unlink "
            f"{row.address}"
        )
    if row.stopped_at:
        raise Refused("That one has opted out: no code can go there before its owner sends START.")
    if owner and owner.id == person.id and row.state == "verified":
        raise Refused(f"That is @{person.handle}'s already.")


def _take(session: Session, signer: Signer, person: Account, code: str) -> str:
    if lockouts.locked_until(session, person.id, lockouts.COMMAND_LINE):
        raise Refused(f"Five wrong codes were typed for @{person.handle}: critter people unlock {person.handle}")
    row = codes.is_proved(session, signer, person.id, code)
    if row is None:
        return WRONG
    tied = addresses.tie(session, person.id, row.channel, row.address, WORDING)
    audit_log.record(session, operator_name(), "address.link", person.id, {"channel": tied.channel})
    if any(each.id != tied.id for each in addresses.of_account(session, person.id)):
        notice = say("A new phone or mailbox was added to your account. Was that not you? Tell an operator.")
        notices.tell_elsewhere(session, person.id, tied.channel, notice)
    noun = addresses.NOUN[tied.channel]
    return f"Tied: the {noun} is @{person.handle}'s now."
