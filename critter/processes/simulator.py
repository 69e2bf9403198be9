"""Builds the simulator from the settings; `critter simulator` calls it, and only while simulated."""

from critter.demo import company
from gateway.errors import Refused
from gateway.setting_types.values import dialled, netloc
from gateway.settings import Settings
from gateway.settings.defaults import SINK_AFTER_SIMULATOR
from simulator import Options, run


def serve(settings: Settings) -> None:
    """Serves until SIGTERM."""
    if settings.mode == "live":
        raise Refused("CRITTER_MODE: the simulator does not run in live mode")
    run(options(settings))


def options(settings: Settings) -> Options:
    return Options(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_tokens,
        webhook_url=f"{settings.public_url}/sms/inbound",
        fallback_url=f"{settings.fallback_url}/sms/inbound" if settings.fallback_url else None,
        call_hooks=settings.sms_intake == "webhook",
        connect=f"http://{netloc(dialled(settings.web_listen))}",
        numbers=settings.sms_numbers,
        messaging_service_sid=settings.twilio_messaging_service_sid,
        listen=settings.simulator_listen,
        smtp_listen=sink(settings),
        mail_target=dialled(settings.smtp_listen),
        mail_domain=settings.mail_domain,
        company=settings.company,
        people=people(),
        price=float(settings.sms_price),
    )


def people() -> dict[str, str]:
    """The owner of each phone and mailbox of the demo company: "Kim Lee, Consultant"."""
    shown = {person: f"{person.name}, {person.title}" for person in company.PEOPLE}
    phones = {company.NUMBERS + person.number: shown[person] for person in company.PEOPLE if person.number}
    return phones | {f"{person.handle}@{company.DOMAIN}": shown[person] for person in company.PEOPLE}


def sink(settings: Settings) -> tuple[str, int]:
    """Where the simulator accepts the mail that we send, unless CRITTER_SMTP_RELAY names another relay."""
    host, port = settings.simulator_listen
    return host, port + SINK_AFTER_SIMULATOR
