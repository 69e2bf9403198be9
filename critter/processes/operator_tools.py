"""What the operators' pages borrow from the command line: the doctor, the explainer, and erasing somebody."""

from functools import partial

from sqlalchemy import Engine

from critter.backup import erasing
from critter.doctor import check
from critter.explain import text as explainer
from gateway.channels import EMAIL, SMS
from gateway.doors.web.visits.operator_tools import ExplainedWords, OperatorTools
from gateway.inbound.commands import CommandRegistry
from gateway.settings import Settings


def build(settings: Settings) -> OperatorTools:
    explain = partial(_explain, explainer.build_registry(settings))
    return OperatorTools(check.results, explain, erasing.erase_person)


def _explain(registry: CommandRegistry, engine: Engine, words: str, channel: str, handle: str) -> ExplainedWords:
    """On a connection of its own, because what it does is taken back."""
    with engine.connect() as connection:
        found = explainer.explain(connection, registry, words, EMAIL if channel == EMAIL else SMS, handle)
    reading = found.reading
    return ExplainedWords(
        found.reader,
        found.handle,
        found.intent,
        found.reason,
        tuple(reading.args) if reading else (),
        reading.privacy if reading else None,
        tuple(name.name for name in reading.names) if reading else (),
        found.would_answer,
    )
