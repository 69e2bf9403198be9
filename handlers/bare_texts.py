"""Bare texts after a private message: each of them is kept, and one question is about all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.orm import Session

from gateway.i18n.phrases import Phrase, count, say
from gateway.i18n.refusals import refusal
from gateway.inbound import commands
from gateway.inbound.commands import CommandContext, act
from gateway.language.model.reading import NamedAccount, Reading
from gateway.language.model.reading_json import pack
from gateway.language.words.normalize import clean
from gateway.network.conversation import conversations
from gateway.network.conversation.conversations import AskedQuestion
from handlers.saved_question import choose

KIND: Final = "thread"
MOST: Final = 30  # texts that one question is about


@dataclass(frozen=True, slots=True)
class KeptText:
    """One text that waits: its words, the private post it answers, the inbound row that has its pictures."""

    draft: int
    words: str
    post: int | None
    upload_id: int | None


def ask_thread(session: Session, context: CommandContext) -> Phrase:
    """The question about a bare text after a private message, or the open one about this text as well."""
    author = context.names[0]
    open_ = conversations.open_question(session, context.address.id)
    if open_ and open_.kind == KIND and open_.choices[0]["id"] == author.id:
        return _join(session, context, author, open_)
    drafts = [_keep(session, context)]
    choices = [{"label": author.name, "id": author.id}]
    commands.ask(session, context, AskedQuestion(KIND, choices, ("POST", "DROP"), _about(context, drafts)))
    context.actor.did("asked", drafts[0]["draft"])
    return _question(author.name, 1)


def _join(session: Session, context: CommandContext, author: NamedAccount, open_: AskedQuestion) -> Phrase:
    """Adds the text to the open question. Its writer knows that question already, so the text is kept even when no more
    answers may be sent there for now."""
    earlier = _entries(open_)
    if _is_second_half(session, context, earlier[-1]):
        conversations.forget_draft(session, earlier.pop()["draft"])
    if len(earlier) >= MOST:
        raise refusal("too_many_kept", number=len(earlier))
    drafts = [*earlier, _keep(session, context)]
    about = {**open_.about, **_about(context, drafts)}
    conversations.change(session, context.address.id, replace(open_, about=about), anew=True)
    context.actor.did("asked", drafts[-1]["draft"])
    return _question(author.name, len(drafts))


def _is_second_half(session: Session, context: CommandContext, last: dict[str, Any]) -> bool:
    """Whether it is the second half of a text that a phone cut in two; the whole then takes the place of the first
    half."""
    words = conversations.draft(session, context.account.id, last["draft"])
    return bool(words) and context.reading.text != clean(context.said) and context.reading.text.startswith(words or "")


def _keep(session: Session, context: CommandContext) -> dict[str, Any]:
    draft = conversations.keep_draft(session, context.account.id, context.reading.text)
    return {"draft": draft, "post": context.reading.post, "pictures_of": context.actor.upload_id or context.inbound_id}


def _about(context: CommandContext, drafts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`draft`, `reading` and `pictures_of` are of the last text, for workers of the version before."""
    last = drafts[-1]
    return {**last, "reading": pack(context.reading), "kept": list(drafts)}


def _entries(asked: AskedQuestion) -> list[dict[str, Any]]:
    """The texts of a question, also of one that the version before asked."""
    about = asked.about
    alone = {"draft": about["draft"], "post": about["reading"]["post"], "pictures_of": about.get("pictures_of")}
    return list(about.get("kept") or [alone])


def _question(name: str, number: int) -> Phrase:
    if number == 1:
        return say(
            "Not sent yet. Reply 1 to answer {name} privately, POST to tell everyone, DROP to delete.", name=name
        )
    return count(
        "{count} text kept. Reply 1 to send it to {name} privately, POST to tell everyone, DROP to delete it.",
        "{count} texts kept. Reply 1 to send them to {name} privately, POST to tell everyone, DROP to delete them.",
        number,
        name=name,
    )


def decide(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str | None:
    """Does what the answer says with all of the texts, in the order in which they came."""
    texts = _texts(session, context, asked)
    if not texts:
        raise refusal("question_run_out")
    for each in texts:
        conversations.forget_draft(session, each.draft)
    if word == "DROP":
        number = count("{count} text is deleted.", "{count} texts are deleted.", len(texts))
        return number if len(texts) > 1 else say("Deleted.")
    return _post(session, context, texts) if word == "POST" else _send(session, context, asked, word, texts)


def _texts(session: Session, context: CommandContext, asked: AskedQuestion) -> list[KeptText]:
    found = []
    for entry in _entries(asked):
        words = conversations.draft(session, context.account.id, entry["draft"])
        if words:
            found.append(KeptText(entry["draft"], words, entry["post"], entry["pictures_of"]))
    return found


def _post(session: Session, context: CommandContext, texts: Sequence[KeptText]) -> str:
    readings = [(each, Reading("update", (each.words,), reason="chosen", text=each.words)) for each in texts]
    answer, number = _act(session, context, readings)
    if answer:
        return answer
    if number == 1:
        return say("Posted to everyone who follows you.")
    return count(
        "{count} text is posted to everyone who follows you.",
        "{count} texts are posted to everyone who follows you.",
        number,
    )


def _send(session: Session, context: CommandContext, asked: AskedQuestion, word: str, texts: Sequence[KeptText]) -> str:
    """Sends the texts as chosen. The choice holds for this thread: further bare texts go the same way for a while."""
    author, last = choose(session, asked, word), texts[-1]
    if last.post:
        conversations.keep_thread(session, context.address.id, last.post)
    readings = [
        (
            each,
            Reading(
                "direct", (author.handle, each.words), "direct", "chosen", "d", (author,), each.words, (), each.post
            ),
        )
        for each in texts
    ]
    answer, number = _act(session, context, readings)
    if answer and number == 1:
        return answer
    return count(
        "{count} text is sent to {name} privately.",
        "{count} texts are sent to {name} privately.",
        number,
        name=author.name,
    )


def _act(
    session: Session, context: CommandContext, readings: Sequence[tuple[KeptText, Reading]]
) -> tuple[str | None, int]:
    """Performs each in order, with its own pictures. What has to be asked about is told last."""
    answers: list[str | None] = []
    questions: list[str] = []
    for each, reading in readings:
        asked = _asked(context)
        answer = act(session, context.as_read(reading, said=each.words, upload_id=each.upload_id))
        (questions if _asked(context) > asked else answers).append(answer or "")
    if questions:
        return questions[-1], len(answers)
    return (answers[0] if len(answers) == 1 else None) or None, len(answers)


def _asked(context: CommandContext) -> int:
    return sum(effect.kind == "asked" for effect in context.actor.effects)


def take_back(session: Session, address_id: int, asked: AskedQuestion, draft: int) -> Phrase | None:
    """`undo` of one of several texts: the question about the others stays open. None when it is the only one."""
    left = [entry for entry in _entries(asked) if entry["draft"] != draft]
    if not left or len(left) == len(_entries(asked)):
        return None
    conversations.forget_draft(session, draft)
    about = {**asked.about, **left[-1], "kept": left}
    conversations.change(session, address_id, replace(asked, about=about), anew=True)
    return _question(asked.choices[0]["label"], len(left))
