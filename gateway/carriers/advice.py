"""What to do when a carrier refuses us, in plain words by its code; `critter carriers` and `critter check` show it."""

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
    "538": "the relay wants TLS before a login: give CRITTER_SMTP_RELAY as smtp+starttls://…",
    "auth": "the relay offers no login that we know (PLAIN, LOGIN): look at the scheme and port of CRITTER_SMTP_RELAY",
    "tls": "the relay has no valid TLS where CRITTER_SMTP_RELAY asks for it: look at its scheme, port and certificate",
}


# Carriers whose refusals are HTTP's.
BY_STATUS: Final = ("401", "403", "404", "405")
ELSEWHERE: Final = {
    "kannel": "look at KANNEL_URL, KANNEL_USERNAME and KANNEL_PASSWORD, and at user-allow-ip in its configuration",
    "hook": "look at CRITTER_HOOK_URL and CRITTER_HOOK_SECRET, and at the log of whoever answers there",
}


def advice(code: str | None, carrier: str = "") -> str:
    """The step to take, "" for what is no refusal of ours."""
    if carrier in ELSEWHERE:
        return ELSEWHERE[carrier] if code in BY_STATUS else ""
    return ADVICE.get(code or "", "")
