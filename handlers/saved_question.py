"""What a question kept while it was open: the reading it was asked about, and the accounts it may mean."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from gateway.i18n.refusals import refusal
from gateway.inbound.commands import CommandContext, act
from gateway.language.model.reading import NamedAccount, Reading
from gateway.language.model.reading_json import unpack
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.people import accounts
from gateway.network.people.directory import find_named


def kept_reading(asked: AskedQuestion) -> Reading:
    """What was said when the question was asked, as it was read then."""
    return unpack(asked.about["reading"])


def choose(session: Session, asked: AskedQuestion, word: str) -> NamedAccount:
    """The account that a digit stands for."""
    return still_there(session, [asked.choices[int(word) - 1]["id"]])[0]


def still_there(session: Session, ids: Sequence[int]) -> list[NamedAccount]:
    """The accounts as they are now; raises Refused when one of them is gone."""
    found = [accounts.by_id(session, account_id) for account_id in ids]
    if any(account is None or account.state != "active" for account in found):
        raise refusal("account_gone_unsent")
    return [find_named(account) for account in found if account]


def as_confirmed(session: Session, context: CommandContext, asked: AskedQuestion) -> str | None:
    """Performs what was asked about; it may ask again for something else."""
    reading = kept_reading(asked)
    still_there(session, [each.id for each in reading.names])
    confirmed = frozenset(asked.about["confirmed"])
    return act(session, context.as_read(reading, said=reading.text, confirmed=confirmed))
