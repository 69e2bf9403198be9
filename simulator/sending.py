"""Mails that people send from the simulated mailboxes: composed here, or taken raw, and sent to Critter's SMTP
listener."""

import asyncio
import smtplib
import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Any

from simulator.ledger import digest
from simulator.local import Address
from simulator.world import World

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """SMTP's last reply, and its reply for each recipient."""

    code: int
    text: str
    recipients: dict[str, tuple[int, str]]


async def mail(world: World, mailbox: str, recipients: list[str], content: bytes) -> tuple[Answer, int]:
    """Sends a complete message from a mailbox; returns Critter's answer and the number of the mail kept here."""
    at = time.time()
    sent = world.mailboxes.add(at, mailbox, "sent", mailbox, tuple(recipients), content)
    world.events.tell("mail", sent.event)
    answer = await asyncio.to_thread(_submit, world.options.mail_target, mailbox, recipients, content)
    fields = {"from": mailbox, "recipients": recipients, "body_sha256": digest(content), "status": answer.code}
    world.ledger.write(time.time(), "mail-sent", fields)
    return answer, sent.seq


def write(world: World, mailbox: str, form: dict[str, str]) -> EmailMessage:
    """Makes a message from form fields; a reply takes its address, subject and references from the mail it answers."""
    message = EmailMessage(policy=SMTP)
    answered = _find(world, mailbox, form.get("in_reply_to", ""))
    message["From"] = f"{form['name']} <{mailbox}>" if form.get("name") else mailbox
    message["To"] = form.get("to") or answered.get("reply_to") or answered.get("from") or ""
    message["Subject"] = form.get("subject") or _again(answered.get("subject") or "")
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=mailbox.rpartition("@")[2])
    if form.get("in_reply_to"):
        message["In-Reply-To"] = message["References"] = form["in_reply_to"]
    message.set_content(form.get("body", ""))
    return message


def _again(subject: str) -> str:
    return subject if not subject or subject.lower().startswith("re:") else f"Re: {subject}"


def _find(world: World, mailbox: str, message_id: str) -> dict[str, Any]:
    """The mail in this mailbox that has this Message-ID, newest first."""
    wanted = message_id.encode()
    for mail in reversed(list(world.mailboxes.of(mailbox)) if message_id else []):
        if wanted in mail.content and (event := mail.event())["message_id"] == message_id:
            return event
    return {}


def _submit(target: Address, sender: str, recipients: list[str], content: bytes) -> Answer:
    try:
        with smtplib.SMTP(*target, local_hostname="mailbox.example", timeout=TIMEOUT) as smtp:
            return _talk(smtp, sender, recipients, content)
    except smtplib.SMTPResponseException as error:
        return Answer(error.smtp_code, _words(error.smtp_error), {})
    except (smtplib.SMTPException, OSError) as error:
        return Answer(0, f"no answer: {type(error).__name__}", {})


def _talk(smtp: smtplib.SMTP, sender: str, recipients: list[str], content: bytes) -> Answer:
    smtp.ehlo_or_helo_if_needed()
    options = [word for word in ("SMTPUTF8", "BODY=8BITMIME") if smtp.has_extn(word.removeprefix("BODY="))]
    smtp.command_encoding = "utf-8"
    code, text = smtp.mail(sender, options)
    if code != 250:
        return Answer(code, _words(text), {})
    answers = {recipient: _rcpt(smtp, recipient) for recipient in recipients}
    if not any(code in (250, 251) for code, _ in answers.values()):
        code, words = next(iter(answers.values()))
        return Answer(code, words, answers)
    code, text = smtp.data(content)
    return Answer(code, _words(text), answers)


def _rcpt(smtp: smtplib.SMTP, recipient: str) -> tuple[int, str]:
    code, text = smtp.rcpt(recipient)
    return code, _words(text)


def _words(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
