"""What is answered when an action, a view or the model of parameters refuses, in the words that a text would get."""

from typing import Any, Final

from flask import Response
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine
from werkzeug.exceptions import HTTPException

from gateway.actions.model.confirmation import REACH, ConfirmationRequired
from gateway.doors.api.frame import errors
from gateway.doors.api.frame.errors import ApiError
from gateway.doors.web.shell import questions
from gateway.errors import Refused
from gateway.i18n.phrases import ENGLISH, joined, say, translated
from gateway.network.apps import reach_questions
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


def answer(error: Exception, engine: Engine, person: int | None, request: bytes = b"") -> Response:
    """For one of REFUSALS. `person`: the account for whom the app asks; `request`: a digest of the call. The call's
    transaction has ended, so what is said of it is looked up in one of its own."""
    match error:
        case ValidationError():
            return errors.of_parameters(error)
        case ConfirmationRequired():
            with transaction(engine) as session:
                again = error.gives == {REACH}
                if again and person and request:
                    reach_questions.remember(session, person, request)
                return _question(error, session.get_one(Account, person), again=again)
        case Refused() if error.reason in NOT_THERE:
            return errors.answer(404)
        case Refused():
            with transaction(engine) as session:
                language = session.get_one(Account, person).language if person else ENGLISH
            return errors.answer(422, translated(error.text, language), reason=error.reason)
    return errors.of(error)


def _question(asked: ConfirmationRequired, viewer: Account, *, again: bool) -> Response:
    """What must be confirmed, in words for people and as facts. The same call with `confirm` does it, and `again`:
    the same call once more, for apps that do not know that."""
    lines = questions.word(asked.kind, asked.facts, viewer.zone_now).lines
    more = [say("Send the same again within ten minutes to say yes.")] if again else []
    words = translated(joined([*lines, *more]), viewer.language)
    facts = ANYTHING.dump_python(dict(asked.facts), mode="json", fallback=lambda each: str(getattr(each, "id", each)))
    return errors.answer(422, words, confirmation={"kind": asked.kind, "confirm": sorted(asked.gives), "facts": facts})
