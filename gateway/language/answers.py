"""Answers to the open question, and to a message that came to this person and few others. grammar.py calls it."""

from gateway.language.named import Context, Item, Question, Reading
from gateway.language.phrases import say
from gateway.language.wording import folded

WINDOW = 30.0  # minutes in which a bare text belongs to the private message or broadcast before it
_WORDS = frozenset({"OK", "POST", "DROP", "UNDO"})


def choice(text: str, context: Context) -> Reading | None:
    """The answer to the open question: one of its digits or words. A digit chooses and never publishes."""
    if len(text) > 8:
        return None
    word = folded(text).strip(" .!)#")
    question = context.question
    if question is None:
        return _too_late(word, text, context)
    if word.upper() in question.words & _WORDS:
        return Reading("choice", (word.upper(),), reason="answers the open question", text=text)
    if word == "post":
        return _nothing_to_post(text)
    if not (word.isascii() and word.isdigit()):
        return None
    if question.secret:
        return Reading("choice", (word,), reason="the code or PIN that was asked for")
    return _digit(int(word), text, question) if question.choices else None


def _digit(digit: int, text: str, question: Question) -> Reading:
    most = len(question.choices)
    if 1 <= digit <= most:
        return Reading("choice", (str(digit),), reason="answers the open question", text=text)
    wrong = say("only 1 is a choice") if most == 1 else say("choose a number from 1 to {most}", most=most)
    return Reading("error", (), reason=wrong, text=text)


def _too_late(word: str, text: str, context: Context) -> Reading | None:
    """An answer to a question that ran out changes nothing, and is no update either."""
    asked = context.ran_out
    if asked and _would_answer(word, asked) and not (word == "ok" and _newer(context.last, asked)):
        return Reading("error", reason=say("that question has run out; nothing was changed"), text=text)
    return _nothing_to_post(text) if word == "post" else None


def _nothing_to_post(text: str) -> Reading:
    return Reading("error", reason=say("nothing is waiting to be posted"), text=text)


def _would_answer(word: str, asked: Question) -> bool:
    if word.isascii() and word.isdigit():
        return asked.secret or 1 <= int(word) <= len(asked.choices)
    return word.upper() in asked.words & _WORDS


def _newer(item: Item | None, asked: Question) -> bool:
    return item is not None and item.age < asked.age


def takes_back(text: str) -> bool:
    """Whether it is `undo`, which a private text that still waits is offered."""
    return folded(text).strip(" .!") in ("undo", "oops")


def second_half(text: str, context: Context) -> Reading | None:
    """What follows a long private text within seconds is its second half: as private, and never read by itself. So is
    what is marked as a later part of any text."""
    half = context.half
    if half and half.open and not half.names:
        reason = "a later part of an update"
        return Reading("update", (text,), "company", reason, None, (), text, post=half.post)
    if half is None or not half.names:
        return None
    handles = ",".join(each.handle for each in half.names)
    reason = f"the second half of a private text to {handles}"
    if half.privacy == "group":
        return Reading("group", (handles, text), "group", reason, None, half.names, text, post=half.post)
    return Reading("direct", (handles, text), "direct", reason, "d", half.names, text, post=half.post)


def after_few(text: str, context: Context) -> Reading | None:
    """A bare text after a private message is asked about; after a broadcast it goes to the group's posters only."""
    last = context.last
    if last is None or last.age > WINDOW:
        return None
    if last.private:
        return _after_private(text, last, context.private_thread)
    if last.broadcast and last.group is not None:
        names = (last.group,)
        reason = f"after a broadcast: to the posters of {last.group.handle} only"
        return Reading("direct", (last.group.handle, text), "direct", reason, None, names, text, post=last.post)
    return None


def _after_private(text: str, last: Item, chosen: int | None) -> Reading:
    author = last.author
    if chosen == last.post:
        chosen_reason = "in the private thread chosen"
        return Reading("direct", (author.handle, text), "direct", chosen_reason, None, (author,), text, post=last.post)
    reason = f"the last item was private, from {author.handle}: privately, or to everyone?"
    return Reading("ask", (author.handle, text), "direct", reason, None, (author,), text, (author,), last.post)
