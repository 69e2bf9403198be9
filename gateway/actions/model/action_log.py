"""What was done, by whom and by which door, with its effects. It commits together with what it tells of, and `undo`
reads it."""

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor, NewEffect


def record(session: Session, actor: Actor) -> None:
    """Writes the effects of what came in by text, mail or command line; nothing when there are none. An inbound has one
    action at most."""
    if actor.effects:
        session.execute(RECORD, _owner(actor) | {"inbound": actor.inbound_id, "effects": pack(actor.effects)})


def _owner(actor: Actor) -> dict[str, int | str]:
    return {"account": actor.account.id, "door": actor.door}


def pack(effects: Sequence[NewEffect]) -> str:
    """The effects as a JSON array, in their order."""
    return json.dumps([{"kind": one.kind, "subject": one.subject_id, "detail": one.detail} for one in effects])


# `inbound_id` of effects is for processes of the version before.
RECORD: Final = text("""
    WITH action AS (
        INSERT INTO actions (account_id, door, inbound_id) VALUES (:account, :door, :inbound) RETURNING id
    )
    INSERT INTO effects (action_id, inbound_id, number, kind, subject_id, detail, account_id)
    SELECT action.id, :inbound, one.place - 1, one.effect ->> 'kind', CAST(one.effect ->> 'subject' AS bigint),
           one.effect -> 'detail', :account
    FROM action, jsonb_array_elements(CAST(:effects AS jsonb)) WITH ORDINALITY AS one (effect, place)
""")
