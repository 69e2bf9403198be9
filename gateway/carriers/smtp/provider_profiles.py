"""What each kind of relay demands of those who send through it, and which limits this installation therefore keeps.

The profiles are the vendors' published rules; settings override each. workers/deliver and workers/sending/render_mail
call `provider_terms`, critter/processes/workers builds the carrier with `relay`, and `critter check mail` shows all of
it.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.carriers.smtp.handshake import OAuth
from gateway.carriers.smtp.oauth_tokens import Tokens
from gateway.carriers.smtp.relay import SmtpRelay
from gateway.errors import SettingsError
from gateway.settings import Settings

MICROSOFT: Final = "https://login.microsoftonline.com"
SCOPE: Final = "https://outlook.office365.com/.default"
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of relay.

    verp: each mail may leave under an envelope sender of its own, with any address of our domain. Otherwise all leave
    under one address, which is their From too. connections: at a time, from each process. per_connection: mails over
    one connection. rate: mails a second. daily: recipients a day. largest: octets of a mail. tls: mails must not be
    sent unencrypted. oauth: it wants a token instead of a password. spf: what our SPF record must include. selectors:
    where its own DKIM keys are in our domain. forward: what brings mail for us to our door when no MX record leads
    there.
    """

    verp: bool = True
    connections: int = 10
    per_connection: int = 1000
    rate: float | None = None
    daily: int | None = None
    largest: int = 100 * MIB
    tls: bool = False
    oauth: bool = False
    spf: str = ""
    selectors: tuple[str, ...] = ()
    forward: str = "a transport map on your mail server that hands the domain to our door"


# Any smarthost: Postfix, Exim, Exchange on premises. It limits its own rate.
PLAIN: Final = Profile()

# Google Workspace, smtp-relay.gmail.com, which knows us by our address.
# "SMTP relay: Route outgoing non-Gmail messages through Google", https://support.google.com/a/answer/2956491: 10,000
# recipients in 24 hours for a registered user, 4.6 million and 319,444 in 10 minutes for an organisation; 100
# recipients a transaction; TLS on 587; the sender, or the name said in EHLO, must be of a domain of ours; 25 MB a mail.
# An envelope sender that is no user counts for the organisation alone; the user's limit is kept all the same, because a
# catch-all address or a plus address of a user makes it a user.
GOOGLE_IP: Final = Profile(
    connections=10,
    per_connection=100,
    daily=10_000,
    largest=25 * MIB,
    tls=True,
    spf="include:_spf.google.com",
    selectors=("google",),
    forward="a routing rule in Google's admin console (Apps, Gmail, Hosts and Default routing)",
)

# Exchange Online, MX endpoint (…mail.protection.outlook.com, port 25), which knows us by our certificate or address.
# "How to set up a multifunction device or application to send email", option 3,
# https://learn.microsoft.com/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365:
# a connector, a sender in an accepted domain, "reasonable limits". Ours are those of a mailbox: whoever keeps to them
# is never throttled. Microsoft rewrites bounces on their way, so the sender is fixed.
M365_CONNECTOR: Final = Profile(
    verp=False,
    connections=3,
    per_connection=100,
    daily=10_000,
    largest=35 * MIB,
    tls=True,
    spf="include:spf.protection.outlook.com",
    selectors=("selector1", "selector2"),
    forward="an outbound connector with a mail flow rule in the Exchange admin center, and an internal relay domain",
)

# Exchange Online, smtp.office365.com:587, a mailbox and a token (client credentials, SMTP.SendAsApp).
# "Throttling limits", https://learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements: three
# connections, 30 messages a minute, 10,000 recipients a day. "Authenticate an IMAP, POP or SMTP connection using
# OAuth", https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth:
# XOAUTH2. Another From or envelope sender than the mailbox is refused (5.7.60). Ports and size are on the page above.
M365_OAUTH: Final = Profile(
    verp=False,
    connections=3,
    per_connection=30,
    rate=0.5,
    daily=10_000,
    largest=35 * MIB,
    tls=True,
    oauth=True,
    spf="include:spf.protection.outlook.com",
    selectors=("selector1", "selector2"),
    forward=M365_CONNECTOR.forward,
)

PROFILES: Final[Mapping[str, Profile]] = {
    "plain": PLAIN,
    "google-ip": GOOGLE_IP,
    "m365-connector": M365_CONNECTOR,
    "m365-oauth": M365_OAUTH,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """The limits that this installation keeps: those of the profile, unless its settings say otherwise.

    sender: the one address that all mails leave from; None with VERP. hello: the name said in EHLO. rate and daily:
    None without a limit.
    """

    profile: Profile
    sender: str | None
    hello: str
    connections: int
    rate: float | None
    daily: int | None


def provider_terms(settings: Settings) -> Terms:
    """Returns the terms of this installation. A rate or daily limit of 0 in the settings removes the profile's
    limit."""
    profile = PROFILES[settings.smtp_profile]
    sender = _sender(profile, settings)
    return Terms(
        profile,
        sender,
        hello=sender.rpartition("@")[2] if sender else settings.mail_domain,
        connections=settings.smtp_connections or profile.connections,
        rate=(profile.rate if settings.smtp_rate is None else settings.smtp_rate) or None,
        daily=(profile.daily if settings.smtp_daily is None else settings.smtp_daily) or None,
    )


def _sender(profile: Profile, settings: Settings) -> str | None:
    if settings.smtp_from == "verp" or (profile.verp and not settings.smtp_from):
        return None
    return settings.smtp_from or f"post@{settings.mail_domain}"


def relay(settings: Settings) -> SmtpRelay:
    """Builds the carrier for mail. Raises SettingsError when our certificate cannot be read."""
    terms = provider_terms(settings)
    return SmtpRelay(
        settings.smtp_relay,
        terms.hello,
        terms.connections,
        per_connection=terms.profile.per_connection,
        largest=terms.profile.largest,
        context=context(settings),
        oauth=oauth(settings),
    )


def context(settings: Settings) -> ssl.SSLContext:
    """Returns the TLS context: the authorities that we trust, and our own certificate, by which a connector may
    identify us."""
    found = ssl.create_default_context()
    if settings.smtp_certificate:
        try:
            found.load_cert_chain(settings.smtp_certificate)
        except OSError as problem:
            why = problem.strerror or problem
            raise SettingsError(
                f"CRITTER_SMTP_CERTIFICATE: {settings.smtp_certificate} cannot be used ({why}): give a PEM "
                "file with the certificate, its chain and its key without a password"
            ) from None
    return found


def oauth(settings: Settings) -> OAuth | None:
    """Returns the mailbox and where its tokens come from; None for a relay that wants no token."""
    terms = provider_terms(settings)
    if not terms.profile.oauth or terms.sender is None:
        return None
    url = settings.m365_token_url or f"{MICROSOFT}/{settings.m365_tenant}/oauth2/v2.0/token"
    return OAuth(terms.sender, Tokens(url, settings.m365_client_id, settings.m365_client_secret, SCOPE))
