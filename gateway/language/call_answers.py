"""Reads answers to an urgent call: OK in a word or an emoji, and what is said on a phone right after one. What answers
a call goes to its asker alone. grammar.py calls it."""

from typing import Final

from gateway.language.model.reading import Context, HeardCall, Item, Reading
from gateway.language.replies import WINDOW, says_yes

LONGEST: Final = 20  # characters of an OK
SURE: Final = ("ok", "okay", "okey", "k", "kk")  # words that answer no private question


def acknowledgement(text: str, context: Context) -> Reading | None:
    """An OK to the newest call that this person has not answered. When something of ours was asked after the call, an
    OK that answers that is not one to the call."""
    if len(text) > LONGEST or text[0] == "." or (word := says_yes(text)) is None:
        return None
    call = context.called()
    if call is None or _means_the_question(context, call) or _means_the_last_item(word, context, call):
        return None
    return _reading(text, call, "")


def _means_the_question(context: Context, call: HeardCall) -> bool:
    question = context.question
    return question is not None and "OK" in question.words and (call.answered or question.age < call.age)


def _means_the_last_item(word: str, context: Context, call: HeardCall) -> bool:
    """A yes may answer a private message that came after the call. An OK to a call that is answered counts only as long
    as nothing else came; one to a call that has ended, as long as nothing came that it may answer."""
    last = context.last
    if call.answered:
        return last is None or last.post != call.post or last.age > WINDOW
    if call.ended:
        return _came_since(last, call)
    return last is not None and last.private and word not in SURE and _came_since(last, call)


def _came_since(last: Item | None, call: HeardCall) -> bool:
    """Whether something came after the call whose writers get what is said without an address."""
    if last is None or last.post == call.post or last.age >= call.age:
        return False
    return last.private or last.broadcast


def words_for_asker(text: str, context: Context) -> Reading | None:
    """A text without an address on a phone that a call went to: until it is answered, and then as long as the call is
    the last item there. What may answer a newer private message, a newer broadcast or a digest is read as ever."""
    last = context.last
    if not context.called_here or last is None or context.digest is not None:
        return None
    call = context.called()
    if call is None or _came_since(last, call):
        return None
    waits = not call.answered and not call.ended
    if not waits and (last.post != call.post or last.age > WINDOW):
        return None
    return _reading(text, call, text)


def _reading(text: str, call: HeardCall, words: str) -> Reading:
    reason = f"answers the urgent call of {call.asker.handle}, who alone gets it"
    args = (call.asker.handle, words) if words else (call.asker.handle,)
    return Reading("acknowledge", args, "direct", reason, None, (call.asker,), words, post=call.post)
