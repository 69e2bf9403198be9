"""Ending a question or an urgent call before its time: what it has come to is told at once, as at its end."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.calls import calls, running_calls
from gateway.network.receipts import call_reports


@dataclass(frozen=True, slots=True)
class EndedCall:
    """`kind`: ask is a question, rollcall an urgent call."""

    post_id: int
    group: str
    kind: Literal["ask", "rollcall"]


def end_call(session: Session, actor: Actor, group: NamedAccount) -> EndedCall:
    """The newest one that runs in this group and that the actor asked."""
    post_id = running_calls.newest_of(session, actor.account.id, group.id)
    call = calls.lock(session, post_id) if post_id else None
    if call is None or call.ended_at is not None:
        raise refusal("nothing_to_end", handle=group.handle)
    calls.depart(session, call.post_id)
    calls.end(session, call, "all" if calls.all_answered(session, call) else "time")
    actor.queues |= call_reports.tell_end(session, call)
    actor.did("end_call", call.post_id)
    return EndedCall(call.post_id, group.handle, "ask" if call.kind == "ask" else "rollcall")
