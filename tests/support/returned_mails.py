"""Bounces as mail servers write them, shaped by hand after the facts of each: test_dsn reads them, test_bounce_intake
sends them to the door. `{to}` is the return address, `{mailbox}` who was not reached, `{head}` the header of
the mail that was sent."""

from dataclasses import dataclass

MAILBOX = "priya@demo.example"


@dataclass(frozen=True)
class Sample:
    """A bounce, and how it is to be read."""

    name: str
    kind: str
    status: str
    raw: str

    def written(self, to: str = "b+x@mail.example", head: str = "", mailbox: str = MAILBOX) -> bytes:
        filled = self.raw.lstrip("\n").replace("{to}", to).replace("{mailbox}", mailbox)
        return filled.replace("{head}", head.strip("\r\n")).replace("\r\n", "\n").replace("\n", "\r\n").encode()


def report(sender: str, words: str, status: str, *, kind: str = "text/rfc822-headers", extra: str = "") -> str:
    return f"""
From: {sender}
To: {{to}}
{extra}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="=_b0unce"
Message-ID: <20260101.77@mx.demo.example>

--=_b0unce
Content-Type: text/plain; charset=us-ascii

{words.strip()}

--=_b0unce
Content-Type: message/delivery-status

{status.strip()}

--=_b0unce
Content-Type: {kind}

{{head}}

--=_b0unce--
"""


POSTFIX = report(
    "MAILER-DAEMON@mx.demo.example (Mail Delivery System)",
    """This is the mail system at host mx.demo.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<{mailbox}>: host mail.demo.example[192.0.2.7] said: 550 5.1.1
    <{mailbox}>: Recipient address rejected: User unknown in virtual
    mailbox table (in reply to RCPT TO command)""",
    """Reporting-MTA: dns; mx.demo.example
X-Postfix-Queue-ID: 4Tz0Xk1Jr1z3
X-Postfix-Sender: rfc822; {to}
Arrival-Date: Thu,  1 Jan 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; {mailbox}
Original-Recipient: rfc822;{mailbox}
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.demo.example
Diagnostic-Code: smtp; 550 5.1.1 <{mailbox}>: Recipient address rejected: User
    unknown in virtual mailbox table""",
    kind="text/rfc822-headers",
    extra="Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\n",
)
POSTFIX_DELAYED = (
    POSTFIX.replace("Undelivered Mail Returned to Sender", "Delayed Mail (still being retried)")
    .replace("Action: failed", "Action: delayed")
    .replace("Status: 5.1.1", "Status: 4.4.1")
    .replace("Diagnostic-Code: smtp; 550 5.1.1", "Will-Retry-Until: Tue,  6 Jan 2026 10:00:00 +0000\nX-Said: smtp;")
)
EXPIRED = POSTFIX.replace("Status: 5.1.1", "Status: 4.4.1").replace("550 5.1.1", "451 4.4.1")
SUCCESS = (
    POSTFIX.replace("Undelivered Mail Returned to Sender", "Successful Mail Delivery Report")
    .replace("Action: failed", "Action: delivered")
    .replace("Status: 5.1.1", "Status: 2.0.0")
    .replace("550 5.1.1", "250 2.0.0")
)
M365 = report(
    "Microsoft Outlook <postmaster@demo.example>",
    """Delivery has failed to these recipients or groups:

{mailbox}
The email address you entered couldn't be found. Please check the
recipient's email address and try to resend the message.

Diagnostic information for administrators:
Generating server: XX1PR01MB0001.prod.demo.example
Remote server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'""",
    """Reporting-MTA: dns;XX1PR01MB0001.prod.demo.example
Received-From-MTA: dns;mx.mail.example
Arrival-Date: Thu, 1 Jan 2026 10:00:00 +0000

Final-Recipient: rfc822;{mailbox}
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup""",
    kind="message/rfc822",
    extra="Subject: Undeliverable: starting the ACME proposal\nAuto-Submitted: auto-replied\n",
)
M365_FULL = (
    M365.replace("5.1.10 RESOLVER.ADR.RecipientNotFound", "5.2.2 STOREDRV.Deliver; mailbox full")
    .replace("Status: 5.1.10", "Status: 5.2.2")
    .replace("not found by SMTP address lookup", "")
)
EXCHANGE_OLD = report(
    "System Administrator <postmaster@demo.example>",
    """Your message did not reach some or all of the intended recipients.

      {mailbox} on 1/1/2026 10:00 AM
            The e-mail account does not exist at the organization this message was sent to.
            <mail.demo.example #5.1.1>""",
    """Reporting-MTA: dns;mail.demo.example

Final-Recipient: RFC822;{mailbox}
Action: failed
Status: 5.1.1
X-Display-Name: Priya Nair""",
    kind="message/rfc822",
    extra="Subject: Undeliverable: starting the ACME proposal\n",
)
GMAIL = report(
    "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
    """** Address not found **

Your message wasn't delivered to {mailbox} because the address couldn't be found, or is unable to receive mail.

The response from the remote server was:
550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's
email address for typos or unnecessary spaces.""",
    """Reporting-MTA: dns; googlemail.com
Received-From-MTA: dns; mail.example
Arrival-Date: Thu, 01 Jan 2026 02:00:00 -0800 (PST)
X-Original-Message-ID: <critter.1.2@mail.example>

Final-Recipient: rfc822; {mailbox}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 unnecessary spaces.
Last-Attempt-Date: Thu, 01 Jan 2026 02:00:01 -0800 (PST)""",
    kind="message/rfc822",
    extra="Subject: Delivery Status Notification (Failure)\nAuto-Submitted: auto-replied\n"
    "X-Failed-Recipients: {mailbox}\n",
)
GMAIL_POLICY = GMAIL.replace("Status: 5.1.1", "Status: 5.7.26").replace("5.1.1", "5.7.26")
EXIM = report(
    "Mail Delivery System <Mailer-Daemon@mx.demo.example>",
    """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {mailbox}
    host mail.demo.example [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<{mailbox}>:
    550 No such user here""",
    """Reporting-MTA: dns; mx.demo.example

Action: failed
Final-Recipient: rfc822;{mailbox}
Status: 5.0.0
Remote-MTA: dns; mail.demo.example
Diagnostic-Code: smtp; 550 No such user here""",
    kind="message/rfc822",
    extra="Subject: Mail delivery failed: returning message to sender\nAuto-Submitted: auto-replied\n"
    "X-Failed-Recipients: {mailbox}\n",
)
EXIM_OLD = """
From: Mail Delivery System <Mailer-Daemon@mx.demo.example>
To: {to}
Subject: Mail delivery failed: returning message to sender
Auto-Submitted: auto-replied
X-Failed-Recipients: {mailbox}
Message-ID: <E1abc-0001@mx.demo.example>

This message was created automatically by mail delivery software (Exim 4.94.2).

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {mailbox}
    mailbox is full: retry timeout exceeded

------ This is a copy of the message, including all the headers. ------

{head}

hello
"""
QMAIL = """
From: MAILER-DAEMON@mx.demo.example
To: {to}
Subject: failure notice
Message-ID: <20260101100000.4711.qmail@mx.demo.example>

Hi. This is the qmail-send program at mx.demo.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{mailbox}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <{to}>
{head}

hello
"""
YAHOO = """
From: MAILER-DAEMON@yahoo.com
To: {to}
Subject: Failure Notice
Message-ID: <77.88.12345@sonic.demo.example>
Content-Type: text/plain; charset=utf-8

Sorry, we were unable to deliver your message to the following address.

<{mailbox}>:
554: delivery error: dd This user doesn't have a yahoo.com account ({mailbox}) [0] - mta1.demo.example

--- Below this line is a copy of the message.

{head}

hello
"""
EXIM_WARNING = """
From: Mail Delivery System <Mailer-Daemon@mx.demo.example>
To: {to}
Subject: Warning: message 1abc-0001 delayed 24 hours
Auto-Submitted: auto-generated
Message-ID: <E1abc-0002@mx.demo.example>

This message was created automatically by mail delivery software.
A message that you have sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.demo.example.

The address to which the message has not yet been delivered is:

  {mailbox}
    Delay reason: Connection timed out

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals.
"""
OPENSMTPD = POSTFIX.replace("Action: failed", "Action: error")
NO_STATUS = POSTFIX.replace("Status: 5.1.1\n", "").replace(
    """Diagnostic-Code: smtp; 550 5.1.1 <{mailbox}>: Recipient address rejected: User
    unknown in virtual mailbox table""",
    "Diagnostic-Code: x-unix; no words that tell anything",
)

MIMECAST = """
From: "Postmaster" <postmaster@gw.demo.example>
To: {to}
Subject: [Postmaster] Email Delivery Failure
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8

This is an automated alert notification. Please do not reply.

An email that you attempted to send to the following address could not be delivered:
-- {mailbox}

The problem appears to be :
-- Recipient email address is possibly incorrect

Additional information follows :
-- 5.4.1 Recipient address rejected: Access denied.

This condition occurred after 1 attempt(s) to deliver over
a period of 0 hour(s).
"""
OPENSMTPD_WORDS = """
From: Mailer Daemon <MAILER-DAEMON@mx.demo.example>
To: {to}
Subject: Delivery status notification: error
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b77"

--b77
Content-Type: text/plain; charset=us-ascii

    Hi!

    This is the MAILER-DAEMON, please DO NOT REPLY to this email.

    An error has occurred while attempting to deliver a message for
    the following list of recipients:

{mailbox}: 550 5.1.1 User unknown

    Below is a copy of the original message:

--b77
Content-Type: text/rfc822-headers

{head}

--b77--
"""
OPENSMTPD_LATE = OPENSMTPD_WORDS.replace("notification: error", "notification: delayed").replace(
    "550 5.1.1 User unknown", "421 4.4.1 Connection refused"
)
WORKMAIL = """
From: <postmaster@demo.example>
To: {to}
Subject: Undeliverable: hello
X-Mailer: Amazon WorkMail
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b78"

--b78
Content-Type: text/plain; charset=utf-8

The recipient does not exist in this organization.

Technical report:

Final-Recipient: rfc822;{mailbox}
Diagnostic-Code: smtp; 550 5.1.1
 <{mailbox}>: Mailbox does not exist
Action: failed
Status: 5.1.1

--b78
Content-Type: message/rfc822

{head}

hello

--b78--
"""
GERMAN = """
From: Mail Delivery System <>
To: {to}
Subject: Unzustellbare Nachricht
Content-Type: text/plain; charset=utf-8

Ihre Nachricht an {mailbox} konnte nicht zugestellt werden:
552 5.2.2 Postfach voll
"""
ITALIAN = GERMAN.replace("Unzustellbare Nachricht", "Mancata consegna").replace(
    "Ihre Nachricht an {mailbox} konnte nicht zugestellt werden", "Il messaggio per {mailbox} non è stato consegnato"
)
RICH_ONLY = """
From: MAILER-DAEMON
To: {to}
Subject: Message undeliverable
Content-Type: text/html; charset=utf-8

<html><body><p>Your message could not be delivered to {mailbox}.</p><p>Reason: user unknown</p></body></html>
"""
QUALMS = """
To: {to}
Subject: failure notice
Content-Type: text/plain

Your mail to <{mailbox}> was not delivered. The mailbox is full.
"""
SAMPLES = [
    Sample("postfix", "hard", "5.1.1", POSTFIX),
    Sample("postfix delayed", "delayed", "4.4.1", POSTFIX_DELAYED),
    Sample("postfix expired", "soft", "4.4.1", EXPIRED),
    Sample("postfix success", "delivered", "2.0.0", SUCCESS),
    Sample("microsoft 365", "hard", "5.1.10", M365),
    Sample("microsoft 365 full", "hard", "5.2.2", M365_FULL),
    Sample("exchange old", "hard", "5.1.1", EXCHANGE_OLD),
    Sample("gmail", "hard", "5.1.1", GMAIL),
    Sample("gmail policy", "hard", "5.7.26", GMAIL_POLICY),
    Sample("exim", "hard", "5.1.1", EXIM),
    Sample("exim without report", "hard", "5.2.2", EXIM_OLD),
    Sample("qmail", "hard", "5.1.1", QMAIL),
    Sample("yahoo", "hard", "5.1.1", YAHOO),
    Sample("exim warning", "delayed", "4.4.7", EXIM_WARNING),
    Sample("opensmtpd", "hard", "5.1.1", OPENSMTPD),
    Sample("no status", "soft", "", NO_STATUS),
    Sample("mimecast", "hard", "5.4.1", MIMECAST),
    Sample("opensmtpd in words", "hard", "5.1.1", OPENSMTPD_WORDS),
    Sample("opensmtpd delay", "delayed", "4.4.1", OPENSMTPD_LATE),
    Sample("workmail", "hard", "5.1.1", WORKMAIL),
    Sample("german words", "hard", "5.2.2", GERMAN),
    Sample("italian words", "hard", "5.2.2", ITALIAN),
    Sample("html alone", "hard", "5.1.1", RICH_ONLY),
    Sample("no From at all", "hard", "5.2.2", QUALMS),
]

# What comes to return addresses and is no bounce.
AWAY = """
From: Priya Nair <priya@demo.example>
To: {to}
Subject: Automatic reply: starting the ACME proposal
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All
Message-ID: <away.1@demo.example>

I am on holiday until Monday; in urgent cases call the office.
"""
UNSIGNED_AWAY = AWAY.replace("Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All\n", "")
RECEIPT = """
From: Priya Nair <priya@demo.example>
To: {to}
Subject: Read: starting the ACME proposal
Message-ID: <read.1@demo.example>
Content-Type: multipart/report; report-type=disposition-notification; boundary="r"

--r
Content-Type: text/plain

Your mail was displayed.

--r
Content-Type: message/disposition-notification

Final-Recipient: rfc822;{mailbox}
Disposition: manual-action/MDN-sent-automatically; displayed

--r--
"""
ABOUT_DELIVERY = """
From: Priya Nair <{mailbox}>
To: {to}
Subject: Re: crates

The crates could not be delivered today: error 550 at the gate, and the address was incorrect.
"""
RECEIVED = """
From: postmaster@demo.example
To: {to}
Subject: We received your message

Thank you. A ticket 5.1.1 was opened and will be answered.
"""
NO_BOUNCES = {
    "about a delivery": ABOUT_DELIVERY,
    "a ticket": RECEIVED,
    "away": AWAY,
    "away without a sign": UNSIGNED_AWAY,
    "read receipt": RECEIPT,
}
