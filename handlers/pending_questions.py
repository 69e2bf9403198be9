"""Asking before acting, and acting on the answer. A digit chooses and never publishes; POST makes an update."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from gateway.actions.model.confirmation import REPEAT
from gateway.i18n.phrases import Phrase, capital, joined, listed, say, sentence
from gateway.i18n.refusals import refusal
from gateway.inbound import commands
from gateway.inbound.commands import CommandContext, act, meaning, question
from gateway.language.command_reader import forced_command
from gateway.language.grammar import STOP, read
from gateway.language.model.reading import Context, NamedAccount, Reading
from gateway.language.model.reading_json import pack
from gateway.language.usage.help_lines import spoken
from gateway.language.words.normalize import first_token
from gateway.network.conversation import conversations, reading_context
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.follows import follows
from handlers import bare_texts
from handlers.confirmation_questions import describe_people
from handlers.daily_mail import which
from handlers.saved_question import as_confirmed, choose, kept_reading, still_there
from handlers.undo import undo
from handlers.updates import group_post

CHOICES = 3
MOST_NAMES = 3
MOST_SHOWN = 50  # characters of a command that is asked about
POST_OR_DROP = say("Reply POST to tell everyone, DROP to delete.")


NO_MORE = {
    "sms": say("Do you want no more texts from us? Then reply STOP. Not posted yet."),
    "email": say("Do you want no more mails from us? Then reply UNSUBSCRIBE. Not posted yet."),
}


@meaning("ask")
def ask(session: Session, context: CommandContext) -> str | None:
    """Keeps the words and asks; what is not answered within 30 minutes is deleted."""
    reading = context.reading
    if reading.privacy != "direct" and reading.post:
        return which(session, context)
    if reading.unknown == STOP and reading.verb is None:
        return _put(session, context, "private", NO_MORE[context.address.channel], ())
    if reading.privacy == "direct":
        return bare_texts.ask_thread(session, context) if reading.post else _ask_private(session, context)
    if reading.form and not reading.unknown:
        return _ask_meant(session, context)
    if reading.verb and context.registry.verbs[reading.verb].asks:
        return context.registry.handlers[reading.verb](session, context)
    answer = say("Nothing was done.") if reading.verb else say("Kept, not posted.")
    kind = "verb" if reading.verb else "group"
    return _put(session, context, kind, joined([sentence(reading.reason), answer]), reading.near)


def _ask_private(session: Session, context: CommandContext) -> str:
    """Asks when somebody in the list is unknown or ambiguous: until then nobody gets it."""
    reading = context.reading
    unknown = len(reading.args[0].split(",")) - len(reading.names)
    choices = reading.near if unknown <= 1 and reading.args[1] else ()
    if choices == reading.names:
        choices = choices[:1]  # all of them are certain, and one digit confirms all
    return _put(session, context, "private", joined([sentence(reading.reason), say("Kept private.")]), choices)


def _ask_meant(session: Session, context: CommandContext) -> str:
    """Asks about a misspelt verb, or a verb and somebody's name in a sentence: nothing is done and nothing posted
    unasked."""
    form = context.reading.form
    form = form if len(form) <= MOST_SHOWN else form[:MOST_SHOWN].rstrip() + "..."
    question_ = say('Did you mean "{form}"? Reply OK to do it, POST to post your text, DROP to delete it.', form=form)
    return _keep_and_ask(session, context, "meant", [], ("OK", "POST", "DROP"), question_)


def _named(session: Session, context: CommandContext, each: NamedAccount, *, alone: bool) -> Phrase | str:
    """The label of one choice; those who are certain already go with it, and are named where it is the only choice."""
    names = context.reading.names
    if names in ((), (each,)) or not alone:
        return _choice(session, each)
    if len({*names, each}) > MOST_NAMES:  # an answer has room for so many whole names
        return listed(list(dict.fromkeys([*(name.handle for name in names), each.handle])))
    return listed([*(name.name for name in names), *([] if each in names else [_choice(session, each)])])


def _put(session: Session, context: CommandContext, kind: str, opening: str, near: Sequence[NamedAccount]) -> Phrase:
    offered = near[:CHOICES]
    choices = [{"label": each.name, "id": each.id} for each in offered]
    lines = [
        say("{digit} {choice}.", digit=str(digit), choice=_named(session, context, each, alone=len(offered) == 1))
        for digit, each in enumerate(offered, 1)
    ]
    question_ = joined([opening, *lines, POST_OR_DROP])
    return _keep_and_ask(session, context, kind, choices, ("POST", "DROP"), question_)


def _keep_and_ask(
    session: Session,
    context: CommandContext,
    kind: str,
    choices: Sequence[dict[str, Any]],
    words: Sequence[str],
    question_: Phrase,
) -> Phrase:
    draft = conversations.keep_draft(session, context.account.id, context.reading.text)
    about = {
        "draft": draft,
        "reading": pack(context.reading),
        "pictures_of": context.actor.upload_id or context.inbound_id,
    }
    commands.ask(session, context, AskedQuestion(kind, choices, words, about))
    context.actor.did("asked", draft)
    return question_


def _choice(session: Session, each: NamedAccount) -> str:
    if each.kind == "person":
        return f"{each.name} (@{each.handle})" if each.name.casefold() != each.handle else each.name
    if each.group == "closed":
        return say("{name} (closed group)", name=each.name)
    count = follows.followers(session, each.id, 1)[0]
    return say("{name} (group, {people})", name=each.name, people=describe_people(count))


@meaning("choice")
def choice(session: Session, context: CommandContext) -> str | None:
    """Performs the answer to the open question. A refusal leaves the question open."""
    asked = conversations.open_question(session, context.address.id)
    if asked is None:
        raise refusal("question_run_out")
    word, context.actor.upload_id = context.reading.args[0], asked.about.get("pictures_of")
    return commands.reopen_question(
        session, context, asked.about.get("before"), _answered(session, context, asked, word)
    )


def _answered(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str | None:
    if asked.secret and word.isdigit():
        return context.registry.questions[asked.kind](session, context, asked, word)
    conversations.close(session, context.address.id)
    if word == "UNDO":
        return undo(session, context)
    if asked.kind == bare_texts.KIND:
        return bare_texts.decide(session, context, asked, word)
    text = _kept(session, context, asked)
    if word == "DROP":
        return say("Deleted.") if "draft" in asked.about else say("Left as it is.")
    if word == "POST" and not _confirmed_by_post(asked):
        if asked.kind == "told":  # its writer has just sent these words to few people, and now wants all to read them
            context.actor.confirmed = context.actor.confirmed | {REPEAT}
        as_update = Reading("update", (text,), reason="chosen", text=text)
        return act(session, context.as_read(as_update)) or say("Posted to everyone who follows you.")
    return context.registry.questions[asked.kind](session, context, asked, word)


def _confirmed_by_post(asked: AskedQuestion) -> bool:
    """Whether POST is the yes to what was asked. Where OK is, POST tells everyone the words instead."""
    return asked.kind == "confirm" and "OK" not in asked.words


def _kept(session: Session, context: CommandContext, asked: AskedQuestion) -> str:
    """The words that were kept with the question; a question of ours, about no words, has none."""
    draft = asked.about.get("draft")
    if draft is None:
        return ""
    text = conversations.draft(session, context.account.id, draft)
    if text is None:
        raise refusal("question_run_out")
    conversations.forget_draft(session, draft)
    return text


@question("private")
def _privately(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str:
    """Sends privately, with the chosen name in the place of the unknown one."""
    reading = kept_reading(asked)
    known = still_there(session, [each.id for each in reading.names])
    names = tuple(dict.fromkeys([*known, choose(session, asked, word)]))
    text = reading.args[-1]
    as_direct = Reading("direct", reading.args, "direct", "chosen", "d", names, text)
    return act(session, context.as_read(as_direct)) or ""


@question("meant")
def _as_meant(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str | None:
    """Performs the command as it would be read now, because the person it names may have another handle since."""
    form = kept_reading(asked).form
    resolver = reading_context.resolver(session, context.account.id)
    reading = read(form, "sms", context.registry.verbs_for(context.account.language), resolver, Context())
    if reading.verb is None:
        raise refusal("account_gone")
    return act(session, context.as_read(reading))


@question("group")
def _to_group(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str | None:
    group, text = choose(session, asked, word), kept_reading(asked).args[-1]
    if group.kind == "person":
        reply = Reading("reply", (group.handle, text), "company", "chosen", None, (group,), text)
        return act(session, context.as_read(reply)) or say("Posted to {name} and your followers.", name=group.name)
    reading = Reading("group", (group.handle, text), "group", "chosen", None, (group,), text)
    return group_post(session, context.as_read(reading)) or say("Posted to #{handle}.", handle=group.handle)


@question("verb")
def _as_command(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str | None:
    """Reads the same words once more with the chosen name in them: another name in them may be unknown, too."""
    reading, picked = kept_reading(asked), choose(session, asked, word)
    args = [picked.handle if arg == reading.unknown else arg for arg in reading.args]
    said = first_token(reading.text.lstrip("/ "))[0]
    written = " ".join([said, *args])
    resolver = reading_context.resolver(session, context.account.id)
    return act(
        session,
        context.as_read(
            forced_command(written, written, context.registry.verbs_for(context.account.language), resolver, Context())
        ),
    )


@question("confirm")
def _confirmed(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str | None:
    """Performs what was asked about as it was read then."""
    done = say("Posted.") if word == "POST" else say("Sent.")
    return as_confirmed(session, context, asked) or done


@meaning("error")
def error(session: Session, context: CommandContext) -> str:
    """Says what is wrong, with the usage line or the nearest names."""
    reading = context.reading
    near = ", ".join(each.handle for each in reading.near[:CHOICES])
    if reading.verb and reading.form and str(reading.reason).endswith("?"):
        asked = first_token(reading.text.lstrip("/ "))[0].casefold()
        return say("{question} Example: {said}", question=capital(reading.reason), said=spoken(reading.form, asked))
    return joined(
        [
            sentence(reading.reason),
            say("Nearest: {names}.", names=near) if near else "",
            say("Write: {form}", form=reading.form) if reading.form else "",
        ]
    )
