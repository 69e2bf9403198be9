"""`ask #GROUP text`: a question whose answers come privately, with one summary at its end."""

from datetime import datetime

from sqlalchemy.orm import Session

from gateway.actions import ending_calls, group_questions
from gateway.actions.group_questions import AnsweredQuestion
from gateway.attention.zones import zone
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.inbound.commands import CommandContext, command


@command(
    "ask #GROUP text",
    intent="gather",
    english=True,
    about="ask a group; answers come privately, then one summary",
    spanish="consultar, consulta",
)
def ask_group(session: Session, context: CommandContext) -> Phrase:
    asked = group_questions.ask_group(session, context.actor, context.names[0], context.reading.args[-1])
    whom = count("Asked {count} in #{group}.", "Asked {count} in #{group}.", asked.people, group=asked.group)
    till = say(
        "Answers come privately till {time}, then one summary to you and who answered. To stop: UNDO",
        time=_clock(context, asked.ends_at),
    )
    return joined([whom, till])


def describe_answered(context: CommandContext, done: AnsweredQuestion) -> Phrase:
    if done.state == "late":
        return say("Too late for the summary; only {name} was told.", name=done.asker)
    noted = say("Noted for {name}.", name=done.asker)
    if done.replaced:
        replaced = _clock(context, done.replaced)
        noted = say("Noted for {name}, instead of your answer of {time}.", name=done.asker, time=replaced)
    return joined(
        [noted, say("The summary comes at {time}. To take it back: UNDO", time=_clock(context, done.ends_at))]
    )


def _clock(context: CommandContext, moment: datetime) -> str:
    return f"{moment.astimezone(zone(context.account.zone_now)):%H:%M}"


@command(
    "finish #GROUP",
    english=True,
    about="end my question or urgent call to a group now",
    spanish="terminar, termina",
)
def finish(session: Session, context: CommandContext) -> Phrase:
    ended = ending_calls.end_call(session, context.actor, context.names[0])
    if ended.kind == "ask":
        return say("Your question to #{group} is over, and its summary goes out.", group=ended.group)
    return say("Your urgent call to #{group} is over. How it ended comes next.", group=ended.group)
