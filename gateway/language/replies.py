"""Reads answers to the open question, and to a message that came to this person and few others. grammar.py calls it."""

import re
from dataclasses import replace

from gateway.i18n.phrases import Phrase, capital, count, say
from gateway.language import plain_answers
from gateway.language.model.reading import Context, Item, NumberedPosts, OpenQuestion, Reading, Resolver
from gateway.language.plain_answers import EVERYONE, UNCLEAR, plain_answer
from gateway.language.typed_codes import find_code
from gateway.language.words.normalize import fold_case

WINDOW = 30.0  # minutes in which a text without an address belongs to the private message or broadcast before it
_WORDS = frozenset({"OK", "POST", "DROP", "UNDO"})
LONGEST = 20  # characters of an answer
LATEST = 8  # characters of one that comes too late
_ENDS = " .!)#:,\u20e3"
# How people say yes and no. POST and the digits must be written as they are, with "reply" or a name at most.
_YES = """
ok | okay | okey | okey dokey | k | kk | y | yes | yes please | yes pls | yeah | yea | yep | yup | ya | yah | yes yes |
sure | sure thing | of course | do it | go ahead | yes do it | yes go ahead | please do | confirm | confirmed | agreed |
si | sí | si si | sí sí | sí por favor | si por favor | claro | claro que sí | claro que si | si claro |
sí claro | ok 👍 | yes 👍 | vale | dale | de acuerdo |
por supuesto | oui | ja | sim | 👍 | 👌 | ✅ | ✔ | 🆗
"""
_NO = """
n | no | no no | nope | nah | no thanks | no thank you | no way | never mind | nevermind | dont | don't | do not |
no thx | no ty | nvm | no gracias | nein | non | não | nao | nee | 👎 | ❌ | 🚫
"""
_PLAIN = {" ".join(word.split()): "OK" for word in _YES.split("|")}
_PLAIN |= {" ".join(word.split()): "DROP" for word in _NO.split("|")}
_PRIVATE_REPLY = re.compile(
    r"(?:r|re|reply|respond|answer|responder|responde)[:,]?\s+(?:(?:only\s+)?to\s+(?:him|her|them|this|that)\s+)?[(\[]?"
    r"(?:privately|in private|private(?=[:)\]])|confidentially|secretly|en privado)\b[)\]]?[:,]?\s+(?=\S)",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"(?:reply|answer|responde|responder)[:,]?\s+(?:with\s+|con\s+)?[\"“'‘]?(?P<said>[0-9]{1,2}|post|drop|ok|yes|no|undo)"
    r"[\"”'’.!)]*(?:[,\s]+(?:please|pls|por favor))?[.!]*",
    re.IGNORECASE,
)
_POLITE_NUMBER = re.compile(
    r"(?:(?:press|choose|pick|option|opt|choice|number|no\.|opci[oó]n|n[uú]mero)\s+)?(?P<said>[0-9]{1,2})"
    r"[.)]*(?:[,\s]+(?:please|pls|plz|por favor|privately|in private|en privado))*[.!]*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?P<number>[0-9]{1,2})[\s.:)-]+(?P<name>\D{1,30})")
_NUMBER_FIRST = re.compile(r"#?(?P<number>[0-9]{1,3})[\s.:,)-]+\S")
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")


def choice(text: str, context: Context, resolver: Resolver) -> Reading | None:
    """Reads the answer to the open question: one of its digits or words, yes or no, or the same in plain words. A digit
    chooses and never publishes. A text that was sent before the question was asked is no answer to it."""
    question = context.question
    if question is None:
        return _without_question(text, context, resolver)
    if len(text) > plain_answers.LONGEST or text[0] == ".":
        return None
    if question.secret and (code := find_code(text, asked=True)):
        return _code(code)
    bare = _as_told(text, question)
    short = _short(bare, context, question) if len(bare) <= LONGEST else None
    found = short or _plain(bare, context, question, resolver)
    found = replace(found, text=text) if found and bare != text else found
    early = question.unseen and not question.secret  # a PIN is sent on purpose, and only one question waits for it
    return _unseen(text, question) if found and early else found


def _as_told(text: str, question: OpenQuestion) -> str:
    """The answer in "Reply 1", "option 2 please" and "1 Kim", as people copy the lines of a question; else the text."""
    if match := _TOLD.fullmatch(text) or (_POLITE_NUMBER.fullmatch(text) if question.choices else None):
        return match["said"]
    match = _NUMBERED.fullmatch(text)
    number = int(match["number"]) if match else 0
    if match is None or not 1 <= number <= len(question.choices):
        return text
    label, name = fold_case(question.choices[number - 1].label), fold_case(match["name"]).strip(" .!")
    return str(number) if name in (label, label.partition(" ")[0]) else text


def _unseen(text: str, question: OpenQuestion) -> Reading | None:
    """For an answer sent before the question: an emoji is a reaction to an item; anything else must be sent again."""
    if not any(letter.isalnum() for letter in text):
        return None
    reason = say("you sent that before this question. {answers}", answers=capital(_reply_with(question)))
    return Reading("error", reason=reason, text=text)


def _plain(text: str, context: Context, question: OpenQuestion, resolver: Resolver) -> Reading | None:
    """Reads an answer in plain words. An unclear one is asked again; one that may answer a newer private message is
    none."""
    said = plain_answer(fold_case(text).replace("’", "'"), question, resolver)
    if said is None or _may_answer_since(context.last, question):
        return None
    if said in (UNCLEAR, EVERYONE):
        return Reading("error", reason=_reply_with(question), text=text)
    return Reading("choice", (said,), reason="answers the open question", text=text)


def _without_question(text: str, context: Context, resolver: Resolver) -> Reading | None:
    short = len(text) <= LATEST and text[0] != "."
    if short and (late := _too_late(_word(text), text, context)):
        return late
    asked = context.ran_out
    if asked and asked.secret and find_code(text, asked=True):
        return _ran_out(text)
    if asked is None or len(text) > plain_answers.LONGEST or text[0] == "." or _newer(context.last, asked):
        return None
    said = plain_answer(fold_case(text).replace("’", "'"), asked, resolver)
    return _ran_out(text) if said not in (None, UNCLEAR) else None


def _word(text: str) -> str:
    return _SKIN.sub("", fold_case(text)).replace("’", "'").strip(_ENDS)


def says_yes(text: str) -> str | None:
    """The word, or the emoji, of a text that only says yes; None for any other."""
    word = _word(text)
    return word if _PLAIN.get(word) == "OK" else None


def _short(text: str, context: Context, question: OpenQuestion) -> Reading | None:
    word = _word(text)
    said = word.upper() if word.upper() in _WORDS - {"OK"} else _PLAIN.get(word, "")
    if said == "OK" and word != "ok" and _may_answer_since(context.last, question):
        return Reading("error", reason=_reply_with(question), text=text)
    if said in question.words:
        return Reading("choice", (said,), reason="answers the open question", text=text)
    if word == "post":
        return _nothing_to_post(text)
    if word in _PLAIN and _is_decided(question) and word[0].isalpha():  # an emoji may be a reaction instead
        return Reading("error", reason=_reply_with(question), text=text)
    if not (word.isascii() and word.isdigit()):
        return None
    if question.secret:
        return _code(word)
    return _digit(int(word), text, question) if question.choices else None


def _code(digits: str) -> Reading:
    """Without its text, which nothing may keep."""
    return Reading("choice", (digits,), reason="the code or PIN that was asked for")


def _may_answer_since(last: Item | None, question: OpenQuestion) -> bool:
    """Whether a "yes" may answer a private message that came after the question. OK answers the question only."""
    return last is not None and last.private and _newer(last, question)


def _is_decided(question: OpenQuestion) -> bool:
    """Whether the question decides about something of the writer's. A yes that does not fit is then an error."""
    return bool(question.choices) or question.secret or "DROP" in question.words


def _reply_with(question: OpenQuestion) -> Phrase:
    """Says which answers the question takes."""
    order = [word for word in ("OK", "POST", "DROP", "UNDO") if word in question.words]
    if question.secret:
        return say("reply with the code or PIN, or {words}", words=", ".join(order))
    digits = [str(number) for number in range(1, len(question.choices) + 1)]
    return say("reply with one of these: {words}", words=", ".join([*digits, *order]))


def lone_number(text: str, context: Context) -> Reading | None:
    """Refuses a number that answers nothing. A small one is meant as an answer; a longer one may be a code that went
    to the wrong place, and whoever reads it could use it."""
    if find_code(text, asked=False):
        reason = say("digits alone may be a code or a PIN, so nothing was posted. To post them, put a dot in front")
        return Reading("error", reason=reason, text=text)
    word = fold_case(text).strip(_ENDS + "(") if len(text) <= 8 and text[0] != "." else ""
    if not word.isdecimal() or len(word) > 3:
        return None
    if context.question:
        return Reading("error", reason=_reply_with(context.question), text=text)
    return Reading("error", reason=say("nothing is asked. .{number} posts it", number=word), text=text)


def _digit(digit: int, text: str, question: OpenQuestion) -> Reading:
    most = len(question.choices)
    if 1 <= digit <= most:
        return Reading("choice", (str(digit),), reason="answers the open question", text=text)
    wrong = say("only 1 is a choice") if most == 1 else say("choose a number from 1 to {most}", most=most)
    return Reading("error", (), reason=wrong, text=text)


def _too_late(word: str, text: str, context: Context) -> Reading | None:
    """Refuses an answer to a question that ran out: it changes nothing, and it is not posted as an update."""
    asked = context.ran_out
    if asked and _would_answer(word, asked) and not (word in _PLAIN and _newer(context.last, asked)):
        return _ran_out(text)
    return _nothing_to_post(text) if word == "post" else None


def _ran_out(text: str) -> Reading:
    return Reading("error", reason=say("that question has run out; nothing was changed"), text=text)


def _nothing_to_post(text: str) -> Reading:
    return Reading("error", reason=say("nothing is waiting to be posted"), text=text)


def _would_answer(word: str, asked: OpenQuestion) -> bool:
    if word.isascii() and word.isdigit():
        return asked.secret or 1 <= int(word) <= len(asked.choices)
    return _PLAIN.get(word, word.upper()) in asked.words & _WORDS


def _newer(item: Item | None, asked: OpenQuestion) -> bool:
    return item is not None and item.age < asked.age


def number_of_digest(text: str, context: Context) -> Reading | None:
    """A number alone, after a digest: that update whole. It never publishes anything."""
    if len(text) > LATEST:  # of most texts this says no
        return None
    word = _word(text).lstrip("(")
    if not (word.isascii() and word.isdigit() and len(word) <= 3) or not (digest := context.numbered()):
        return None
    number, posts = int(word), digest.posts
    if 1 <= number <= len(posts):
        return Reading("digest_item", (word,), reason="a number of the digest", text=text, post=posts[number - 1])
    reason = count(
        "the last digest has {count} update: reply with a number up to that",
        "the last digest has {count} updates: reply with a number up to that",
        len(posts),
    )
    return Reading("error", reason=reason, text=text)


def _numbered_in(text: str, context: Context) -> NumberedPosts | None:
    """The digest of which it names a number first, as in "2 I can help": that may be an answer."""
    match = _NUMBER_FIRST.match(text)
    digest = context.numbered() if match else None
    return digest if match and digest and 1 <= int(match["number"]) <= len(digest.posts) else None


def which_of_digest(text: str, message: int) -> Reading:
    """Asks which update of a digest the words answer."""
    return Reading("ask", (text,), reason="which update of the digest?", text=text, post=message)


def asked_privately(text: str, context: Context) -> Reading | None:
    """Asks about `reply privately …` after an item that many got: `r` would answer it as publicly as it came."""
    match = _PRIVATE_REPLY.match(text)
    last = context.last
    if match is None or last is None or last.private:
        return None
    words = text[match.end() :]
    reason = say('"{words}" looks private', words=match.group().rstrip(" :,"))
    return Reading("ask", (last.author.handle, words), "direct", reason, None, (last.author,), text, (last.author,))


def takes_back(text: str) -> bool:
    """Whether it is `undo` (or `oops`), which is offered for a private text that still waits."""
    return fold_case(text).strip(" .!") in ("undo", "oops")


def second_half(text: str, context: Context) -> Reading | None:
    """Reads what follows a long private text within seconds as its second half: just as private, and never by itself.
    The same holds for a marked later part of any text."""
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
    """Asks about a text without an address after a private message; after a broadcast it goes to the posters only."""
    last = context.last
    if context.digest is not None and context.digest.guarded:
        return which_of_digest(text, context.digest.message)
    if digest := _numbered_in(text, context):
        return which_of_digest(text, digest.message)
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
