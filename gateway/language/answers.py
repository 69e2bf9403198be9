"""Answers to the open question, and to a message that came to this person and few others. grammar.py calls it."""

from gateway.language.named import Context, Item, Question, Reading
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
        return _nothing_open(text) if word == "post" else None
    if word.upper() in question.words & _WORDS:
        return Reading("choice", (word.upper(),), reason="answers the open question", text=text)
    if word.isascii() and word.isdigit() and question.choices:
        return _digit(int(word), text, question)
    return None


def _digit(digit: int, text: str, question: Question) -> Reading:
    if 1 <= digit <= len(question.choices):
        return Reading("choice", (str(digit),), reason="answers the open question", text=text)
    return Reading("error", (), reason=f"choose a number from 1 to {len(question.choices)}", text=text)


def _nothing_open(text: str) -> Reading:
    return Reading("error", (), reason="nothing is waiting to be posted", text=text)


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
