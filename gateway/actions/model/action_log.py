"""What was done, by whom and by which door, with its effects. It commits together with what it tells of, and `undo`
reads it."""

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor, NewEffect


def record(session: Session, actor: Actor) -> None:
    """Writes the effects of what came in by text, mail or command line; nothing when there are none. An inbound has one
    action at most."""
    if actor.effects:
        owner = {"account": actor.account.id, "door": actor.door, "inbound": actor.inbound_id}
        session.execute(RECORD, owner | {"effects": pack(actor.effects)})


def pack(effects: Sequence[NewEffect]) -> str:
    """The effects as a JSON array, in their order."""
    return json.dumps([{"kind": one.kind, "subject": one.subject_id, "detail": one.detail} for one in effects])


def with_effects(action: str) -> TextClause:
    """A statement that writes an action and its effects. `action`: SQL that returns its id and inbound_id. The
    statement is given :account and :effects (see `pack`). `inbound_id` of effects is for processes of the version
    before."""
    return text(f"""
        WITH action AS ({action})
        INSERT INTO effects (action_id, inbound_id, number, kind, subject_id, detail, account_id)
        SELECT action.id, action.inbound_id, one.place - 1, one.effect ->> 'kind',
               CAST(one.effect ->> 'subject' AS bigint), one.effect -> 'detail', :account
        FROM action, jsonb_array_elements(CAST(:effects AS jsonb)) WITH ORDINALITY AS one (effect, place)
    """)  # noqa: S608 - put together from constants


RECORD: Final = with_effects("""
    INSERT INTO actions (account_id, door, inbound_id) VALUES (:account, :door, :inbound) RETURNING id, inbound_id
""")
