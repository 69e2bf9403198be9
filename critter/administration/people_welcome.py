"""`critter people welcome`, and what an import says of phones that wait for a welcome: its price is shown before it is
sent."""

from decimal import Decimal

from sqlalchemy.orm import Session

from critter.console import prompts
from critter.console.console import format_count, operator_name
from gateway.errors import Refused
from gateway.network.operating import welcoming
from gateway.network.people import welcomes
from gateway.settings import Settings
from gateway.sms.fit import segments, thrifty


def after_import(session: Session, settings: Settings) -> str:
    """Welcomes a few at once; for many it says what that would cost, and how to do it."""
    welcomed, waiting = welcoming.welcome_few(session, settings, operator_name())
    if welcomed or not waiting:
        return _welcomed(welcomed) if welcomed else ""
    phones = format_count(waiting, "invited phone")
    return f"{phones} not welcomed yet, about {_price(settings, waiting)}: critter people welcome sends it."


def run(session: Session, settings: Settings, *, ask: bool) -> str:
    """Welcomes all that wait, after a yes to the price."""
    if not settings.sms:
        raise Refused("Texts are switched off (CRITTER_SMS=off): nobody can be welcomed by text.")
    waiting = welcomes.waiting(session)
    if not waiting:
        return "Nobody waits to be welcomed."
    question = f"Welcome {format_count(waiting, 'phone')}, about {_price(settings, waiting)}?"
    if ask:
        prompts.confirm(question)
    return _welcomed(welcoming.welcome_all(session, settings, operator_name()))


def _welcomed(welcomed: int) -> str:
    return f"{format_count(welcomed, 'invited phone')} welcomed."


def _price(settings: Settings, phones: int) -> str:
    parts = segments(thrifty(welcomes.welcome_words(settings.company)))[1]
    return f"${(phones * parts * settings.sms_price).quantize(Decimal('0.01'))}"
