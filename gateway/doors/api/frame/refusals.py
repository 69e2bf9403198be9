"""What is answered when an action, a view or the model of parameters refuses, in the words that a text would get."""

from typing import Any, Final

from flask import Response
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine
from werkzeug.exceptions import HTTPException

from gateway.actions.model.confirmation import ConfirmationRequired
from gateway.doors.api.frame import errors
from gateway.doors.api.frame.errors import ApiError
from gateway.doors.web.shell import questions
from gateway.errors import Refused
from gateway.i18n.phrases import ENGLISH, joined, translated
from gateway.store.database import transaction
from gateway.store.tables import Account

# What an action says of something that is not there, or that its actor may not know of.
NOT_THERE: Final = frozenset({
    "account_not_there", "account_gone", "account_gone_unsent", "group_gone", "named_gone", "no_longer_readable",
    "no_update_of_yours", "nothing_to_answer", "nothing_to_like", "nothing_to_repeat", "updates_gone",
    "list_gone", "not_followed_yet",
})  # fmt: skip
ANYTHING: Final = TypeAdapter[Any](Any)
REFUSALS: Final = (ApiError, ConfirmationRequired, HTTPException, Refused, ValidationError)


def answer(error: Exception, engine: Engine, person: int | None) -> Response:
    """For one of REFUSALS. `person`: the account for whom the app asks. The call's transaction has ended, so what is
    said of it is looked up in one of its own."""
    match error:
        case ValidationError():
            return errors.of_parameters(error)
        case ConfirmationRequired():
            with transaction(engine) as session:
                return _question(error, session.get_one(Account, person))
        case Refused() if error.reason in NOT_THERE:
            return errors.answer(404)
        case Refused():
            with transaction(engine) as session:
                language = session.get_one(Account, person).language if person else ENGLISH
            return errors.answer(422, translated(error.text, language), reason=error.reason)
    return errors.of(error)


def _question(asked: ConfirmationRequired, viewer: Account) -> Response:
    """What must be confirmed, in words for people and as facts. The same call with `confirm` does it."""
    question = questions.word(asked.kind, asked.facts, viewer.zone_now)
    words = translated(joined(question.lines), viewer.language)
    facts = ANYTHING.dump_python(dict(asked.facts), mode="json", fallback=lambda each: str(getattr(each, "id", each)))
    return errors.answer(422, words, confirmation={"kind": asked.kind, "confirm": sorted(asked.gives), "facts": facts})
