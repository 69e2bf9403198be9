"""What operators should do when a carrier refuses us, by its code; `critter carriers` and `critter check` show it."""

from typing import Final

ADVICE: Final[dict[str, str]] = {
    "401": "look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
    "10001": "the Twilio account is not active: open Twilio's console and activate or pay it",
    "20003": "look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, and in Twilio's console if it is suspended",
    "20005": "the Twilio account is not active: open Twilio's console and activate or pay it",
    "21606": "this number cannot send texts there: take one with SMS in Twilio's console and set CRITTER_SMS_NUMBERS",
    "21608": "this is a trial account: upgrade it in Twilio's console, or verify each recipient there",
    "30002": "Twilio has suspended the account: its console and a mail from Twilio say why",
    "30032": "this toll-free number is not verified: send its verification in Twilio's console and wait for the yes",
    "30034": "this number is not registered for A2P 10DLC: register brand and campaign in Twilio's console, "
    "and put the number into that campaign",
    "530": "the relay wants a login or TLS first: give CRITTER_SMTP_RELAY as smtp+starttls://USER:PASSWORD@HOST:587",
    "534": "the relay takes no such login: make an application password there and set it in CRITTER_SMTP_RELAY",
    "535": "the relay refuses our user or password: look at CRITTER_SMTP_RELAY (odd characters as %40)",
    "535 oauth": "Exchange Online refuses our token: give the application's service principal FullAccess on the "
    "mailbox of CRITTER_SMTP_FROM, and let that mailbox use SMTP AUTH",
    "538": "the relay wants TLS before a login: give CRITTER_SMTP_RELAY as smtp+starttls://…",
    "auth": "the relay offers no login that we know (PLAIN, LOGIN; m365-oauth: XOAUTH2): look at scheme and port of "
    "CRITTER_SMTP_RELAY",
    "421 4.7.28": "Google finds our rate unusual and waits: set CRITTER_SMTP_RATE lower; it goes on by itself",
    "450 4.2.1": "Google's relay had too much from your organisation within minutes: it goes on by itself",
    "550 5.4.5": "Google's limit for a day is used up: it goes on by itself; set CRITTER_SMTP_DAILY to what the admin "
    "console allows",
    "550 5.7.1": "Google's relay does not know our address: enter it in the admin console, Gmail, Routing, SMTP relay "
    "service",
    "432 4.3.2": "more connections than Exchange Online takes: run one worker-email, or set CRITTER_SMTP_CONNECTIONS "
    "lower",
    "554 5.2.0": "Exchange Online's limit for a day is used up: it goes on by itself; set CRITTER_SMTP_DAILY lower",
    "554 5.2.2": "the mailbox of CRITTER_SMTP_FROM is full: empty its Sent Items, or give it a retention policy",
    "550 5.7.60": "Exchange Online does not let us send as CRITTER_SMTP_FROM: give the application's service principal "
    "SendAs on that mailbox",
    "550 5.7.64": "Exchange Online knows no connector for us: look at our address or CRITTER_SMTP_CERTIFICATE in the "
    "Exchange admin center, Mail flow, Connectors, and that the sender's domain is an accepted one",
    "451 4.7.500": "Exchange Online slows us down: set CRITTER_SMTP_RATE lower; it goes on by itself",
    "550 5.7.705": "Microsoft has stopped your tenant's mail out: look at restricted entities in its security portal",
    "550 5.1.8": "Microsoft has restricted our sender: release it under restricted entities in its security portal",
    "invalid_client": "Microsoft refuses our application: look at CRITTER_M365_CLIENT_ID, and whether "
    "CRITTER_M365_CLIENT_SECRET has ended",
    "unauthorized_client": "Microsoft does not know our application in that tenant: look at CRITTER_M365_TENANT and "
    "CRITTER_M365_CLIENT_ID",
    "invalid_scope": "the application lacks SMTP.SendAsApp of Exchange Online, or an administrator's consent to it",
    "invalid_request": "the token endpoint does not understand us: look at CRITTER_M365_TENANT, CRITTER_M365_TOKEN_URL",
    "invalid_grant": "the application lacks SMTP.SendAsApp of Exchange Online, or an administrator's consent to it",
    "daily": "the day's mails are used up: it goes on at midnight UTC; what waits is kept. CRITTER_SMTP_DAILY is the "
    "limit; when you raised it: critter carriers resume mail",
    "tls": "the relay has no valid TLS where CRITTER_SMTP_RELAY asks for it: look at its scheme, port and certificate",
}


# Carriers whose refusals are HTTP statuses.
BY_STATUS: Final = ("401", "403", "404", "405")
ELSEWHERE: Final = {
    "kannel": "look at KANNEL_URL, KANNEL_USERNAME and KANNEL_PASSWORD, and at user-allow-ip in its configuration",
    "hook": "look at CRITTER_HOOK_URL and CRITTER_HOOK_SECRET, and at the log of whoever answers there",
}


def advice(code: str | None, carrier: str = "") -> str:
    """Returns the step to take, "" for a code that does not refuse our account or number."""
    if carrier in ELSEWHERE:
        return ELSEWHERE[carrier] if code in BY_STATUS else ""
    return ADVICE.get(code or "", "")
