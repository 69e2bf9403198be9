"""The daily mail for those who follow nobody yet: whether it is wanted, and which of its updates an answer is about."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.actions import profile
from gateway.i18n.phrases import Phrase, joined, say
from gateway.i18n.refusals import refusal
from gateway.inbound.commands import CommandContext, act, ask, question
from gateway.language.model.reading import Reading
from gateway.language.model.reading_json import pack
from gateway.mail.compose.compose import headline
from gateway.network.audience import visibility
from gateway.network.conversation import conversations
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.digests import update_list
from gateway.store.tables import Account, Post
from handlers.saved_question import kept_reading

DAILY: Final = ("daily",)
KNOWN_BY: Final = 60  # characters of an update by which its reader recognises it


def daily(session: Session, context: CommandContext, wanted: bool) -> str:
    """`on daily` and `off daily`."""
    profile.set_daily_mail(session, context.actor, wanted)
    return describe_daily(wanted)


def describe_daily(wanted: bool) -> Phrase:
    if wanted:
        return say("The daily mail is on: what colleagues write, as long as you follow nobody. To stop: OFF DAILY")
    return say("The daily mail is off. Everything else stays as it is. To get it back: ON DAILY")


def which(session: Session, context: CommandContext) -> str:
    """Keeps and asks about words that answer the mail and name none of its updates. A digit chooses whom they
    answer."""
    listed = update_list.list_items(session, context.reading.post or 0)
    updates = select(Post, Account.name).join(Account, Account.id == Post.author_id).where(Post.id.in_(listed))
    rows = session.execute(updates.where(visibility.readable_by(context.account.id)))
    found = {post.id: (name, post.text) for post, name in rows}
    if not found:
        raise refusal("updates_gone")
    context.quotes |= found.keys()
    choices = [{"label": found[each][0], "id": each} if each in found else {"label": "", "id": 0} for each in listed]
    draft = conversations.keep_draft(session, context.account.id, context.text)
    about = {"draft": draft, "reading": pack(context.reading)}
    ask(session, context, AskedQuestion("daily", choices, ("DROP",), about))
    context.actor.did("asked", draft)
    lines = [_line(number, *found[each]) for number, each in enumerate(listed, 1) if each in found]
    return joined(
        [
            say("Which one do you answer? Nothing was posted yet. Reply with just its number, or DROP to delete."),
            *lines,
        ],
        "\n",
    )


def _line(number: int, name: str, words: str) -> str:
    return f"{number} {name}: {headline(words, KNOWN_BY)}"


@question("daily")
def _this_one(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str:
    choice = asked.choices[int(word) - 1]
    words = kept_reading(asked).text
    reading = Reading("reply", (words,), reason="chosen", text=words, post=choice["id"])
    return act(session, context.as_read(reading)) or say("Your answer went to {name}.", name=choice["label"])
