"""One effect for each idempotency key: a request that is sent twice is done once, and gets the same result twice.

A page makes a key for each form, a client of the API sends its own. What came in by text or mail needs none, because
its row is done once.
"""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, get_type_hints

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.actions.model import action_log
from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.network.presence import presence

LONGEST: Final = 255  # characters of a key

P = ParamSpec("P")
R = TypeVar("R")


def once(
    session: Session, actor: Actor, key: str, action: Callable[Concatenate[Session, Actor, P], R], *args: P.args,
    **kwargs: P.kwargs,
) -> R:  # fmt: skip
    """Performs the action, unless this account has done it with this key before: then its first result. Two requests at
    once wait for each other. A refusal or a question leaves no trace, so the key can be used again. Raises Refused when
    the key belongs to another request."""
    _check_key(key)
    presence.note_activity(session, actor.account.id)  # it is a person who asks for something
    request = _digest([action.__qualname__, args, kwargs, *([actor.uploads] if actor.uploads else [])])
    actor.effects = []
    with session.begin_nested():
        owner = {"account": actor.account.id, "door": actor.door, "key": key, "request": request}
        action_id = session.scalar(CLAIM, owner)
        if action_id is None:
            return _first_result(session, actor, key, request, action)
        result = action(session, actor, *args, **kwargs)
        session.flush()
        done = {"id": action_id, "account": actor.account.id, "result": _type(action).dump_json(result).decode()}
        session.execute(FINISH, done | {"effects": action_log.pack(actor.effects)})
    return result


def _check_key(key: str) -> None:
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= LONGEST):
        raise refusal("bad_key", most=LONGEST)


def _first_result(session: Session, actor: Actor, key: str, request: bytes, action: Callable[..., R]) -> R:
    row = session.execute(FIRST, {"account": actor.account.id, "key": key}).one()
    if row.request != request:
        raise refusal("key_of_another_request")
    if not row.kept:
        raise refusal("key_run_out")
    return _type(action).validate_python(row.result)


def _type(action: Callable[..., R]) -> TypeAdapter[R]:
    """Writes and reads the result of this action as JSON, by the type that it says it returns."""
    return TypeAdapter(get_type_hints(action)["return"])


def _digest(request: Sequence[Any]) -> bytes:
    """SHA-256 of what is asked for: accounts and posts count by their ids, for their other columns may change."""
    return sha256(json.dumps(request, default=_identity, sort_keys=True).encode()).digest()


def _identity(value: Any) -> Any:
    """The same in every process: the order of a set is not."""
    if isinstance(value, bytes):
        return sha256(value).hexdigest()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value.id if hasattr(value, "id") else str(value)


CLAIM: Final = text("""
    INSERT INTO actions (account_id, door, key, request) VALUES (:account, :door, :key, :request)
    ON CONFLICT (account_id, key) DO NOTHING RETURNING id
""")
FIRST: Final = text(
    "SELECT request, result, result IS NOT NULL AS kept FROM actions WHERE account_id = :account AND key = :key"
)
FINISH: Final = action_log.with_effects("""
    UPDATE actions SET result = CAST(:result AS jsonb) WHERE id = :id RETURNING id, inbound_id
""")
