"""Decides what a text means: `read` tries all interpretations in order, for texts, mails and `critter explain`."""

import re
from collections.abc import Mapping
from dataclasses import replace

from gateway.i18n.phrases import say
from gateway.language import call_answers, mentions, replies
from gateway.language.command_reader import command, forced_command
from gateway.language.everyday_commands import ends_politely, name_after_verb, natural_command
from gateway.language.fragments.part_marks import TextPart
from gateway.language.fragments.reassembly import Arrived, find_mark, place_part
from gateway.language.mistyped_settings import mistyped_setting
from gateway.language.mistyped_zones import mistyped_zone
from gateway.language.model.reading import Channel, Context, PendingFragment, Reading, ResolvedName, Resolver
from gateway.language.opt_out.keywords import carrier_word, may_stop, stops_mails
from gateway.language.opt_out.stop_requests import (
    MOST,
    is_mentioned,
    is_mistyped_stop,
    is_plain_stop,
    repeats_our_words,
    strip_courtesies,
)
from gateway.language.privacy.plain_words import plainly_private
from gateway.language.privacy.preambles import private_behind
from gateway.language.privacy.private_messages import VERBS, private_reading, read_slip
from gateway.language.reactions.reactions import ReadReaction, reaction
from gateway.language.reactions.shapes import possible_reaction, words_beside
from gateway.language.usage.verbs import Verb
from gateway.language.words.normalize import OPENING_QUOTES, clean, name_of, unquote

Verbs = Mapping[str, Verb]
STOP = "stop"  # `Reading.unknown` of a text that may ask us to stop
AT_ONCE = 10.0  # seconds between the halves of a text that a phone cut in two


def read(text: str, channel: Channel, verbs: Verbs, resolver: Resolver, context: Context) -> Reading:
    """Reads a text or a cleaned mail. It is pure and never raises, whatever the text contains."""
    raw, text = text, clean(text)
    resolver = _remembering(resolver)
    if not text:
        return Reading("machine", reason=context.machine) if context.machine else _nothing()
    piece = find_mark(text, context.half) if channel == "sms" else None
    if piece:
        return _piece(piece, text, raw, verbs, resolver, context)
    return _words(text, raw, channel, verbs, resolver, context)


def _remembering(resolver: Resolver) -> Resolver:
    """A resolver that caches names while one text is read, because several readings may ask for the same name."""
    known: dict[str, ResolvedName] = {}

    def resolve(name: str) -> ResolvedName:
        if name not in known:
            known[name] = resolver(name)
        return known[name]

    return resolve


def _piece(piece: TextPart, text: str, raw: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading:
    """Reads a part of a text: the first without its mark; the others go where the first went. When an earlier part is
    missing, the part is kept: until the first has come, nobody can say how private it is."""
    found = place_part(context.half, piece)
    if found.kind == "begins":
        reading = _first_part(piece, found.words, verbs, resolver, replace(context, half=None))
        unmarked = piece.sure or reading.intent != "update"
        return reading if unmarked else _words(text, raw, "sms", verbs, resolver, context)
    if found.kind == "goes on" and replies.takes_back(piece.text):
        return _words(piece.text, raw, "sms", verbs, resolver, context)
    if found.kind == "goes on":
        joined = _private_as_whole(found, verbs, resolver, context)
        joined = joined or _second_half(found.words, "sms", verbs, resolver, context)
        return joined or _kept(found.words, say("the second half of what was kept"))
    if not piece.sure:
        return _words(text, raw, "sms", verbs, resolver, context)
    return _unclear(piece) if found.kind == "unclear" else _early(piece, found.missing, context.half)


def _first_part(piece: TextPart, whole: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading:
    """Reads part 1 with later parts that came before it. A command is carried out alone, as when it arrives first."""
    alone = _words(piece.text, piece.text, "sms", verbs, resolver, context)
    if whole == piece.text or not carries_words(alone):
        return alone
    reading = _words(whole, whole, "sms", verbs, resolver, replace(context, question=None))
    same = alone.intent not in ("ask", "error") and (reading.intent, reading.names) == (alone.intent, alone.names)
    if reading.privacy == "direct" or reading.intent == "ask" or same:
        return reading
    return _kept(whole, say("the second half of what was kept"))


def _private_as_whole(found: Arrived, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """Reads the parts of an update joined, in case they look private only then: "message" and then "sam: …"."""
    if not (context.half and context.half.open and 1 in found.parts):
        return None
    whole = " ".join(found.parts[number] for number in range(1, found.missing))
    reading = _words(whole, whole, "sms", verbs, resolver, replace(context, half=None, question=None))
    if reading.privacy != "direct":
        return None
    return reading if reading.intent in ("direct", "ask") else _kept(whole, reading.reason)


def carries_words(reading: Reading) -> bool:
    """Whether a part with this reading can go on in the next part: words for somebody, or words kept for a question."""
    return reading.privacy == "direct" or reading.intent in ("update", "reply", "group", "ask")


def _early(piece: TextPart, missing: int, half: PendingFragment | None) -> Reading:
    """Keeps a part until the missing one comes, and offers to send it to those who got the first part."""
    number, total = piece.number, piece.total
    reason = say("this is part {number} of {total}, and part {missing} is not here yet", number=number, total=total,
                 missing=missing)  # fmt: skip
    known = half if half and half.total == total and half.post and not half.open else None
    if missing > 1 and not (half and half.joinable):
        reason = say("part 1 was a command, and this is part {number} of {total}", number=number, total=total)
    if known is None or not known.names:
        return _kept(piece.text, reason)
    args, names = (",".join(each.handle for each in known.names), piece.text), known.names
    if known.privacy == "group":
        return Reading("ask", args, "group", reason, None, (), piece.text, names)
    return Reading("ask", args, "direct", reason, None, names, piece.text, names)


def _unclear(piece: TextPart) -> Reading:
    """Keeps a part when two texts with as many parts arrive at once: which one it belongs to is not guessed."""
    number, total = piece.number, piece.total
    reason = say("part {number} of {total} may be of two texts, so it was not joined", number=number, total=total)
    return _kept(piece.text, reason)


def _kept(words: str, reason: str) -> Reading:
    return Reading("ask", ("", words), "direct", reason, None, (), words)


def _words(text: str, raw: str, channel: Channel, verbs: Verbs, resolver: Resolver, context: Context) -> Reading:
    """Reads words without a part mark."""
    return (
        _carrier(text, channel, context)
        or _machine(context)
        or _carrier_by_mail(text, channel)
        or call_answers.acknowledgement(text, context)
        or replies.choice(text, context, resolver)
        or replies.number_of_digest(text, context)
        or _reaction(reaction(text, raw), text)
        or _reaction(_by_shape(text, resolver, context), text)
        or _unmarked_half(text, channel, verbs, resolver, context)
        or _meant_literally(text)
        or _forced(text, verbs, resolver, context)
        or private_reading(text, resolver, _private_words(verbs))
        or plainly_private(text, resolver)
        or private_behind(text, resolver)
        or _no_reply(text, context)
        or _command(text, channel, verbs, resolver, context)
        or mentions.leading_name(text, resolver, context)
        or _perhaps_stop(text, channel)
        or call_answers.words_for_asker(text, context)
        or replies.after_few(text, context)
        or _perhaps_command(text, channel, verbs, resolver, context)
        or mentions.unknown_name(text, resolver, context)
        or replies.lone_number(text, context)
        or _update(text, verbs)
    )


def _nothing() -> Reading:
    return Reading("error", reason=say("nothing to post"))


def _carrier(text: str, channel: Channel, context: Context) -> Reading | None:
    """Reads STOP, START and HELP from a phone. A slash before them changes nothing: "/stop" means stop."""
    word = carrier_word(text[1:] if text[0] in "/／" else text) if channel == "sms" else None
    if word == "stop" or (channel == "sms" and _stops_plainly(text)):
        return Reading("optout", reason="a request to stop: no more texts to this phone", text=text)
    if word == "start" or (word == "yes" and context.opted_out and text[0] not in "/／"):
        return Reading("optin", reason="texts to this phone start again", text=text)
    if word == "help":
        return Reading("help", reason="a carrier's word for help", verb="help", text=text)
    return None


def _stops_plainly(text: str) -> bool:
    return text[0] not in ".#@" and is_mentioned(text) and is_plain_stop(strip_courtesies(text))


def _perhaps_stop(text: str, channel: Channel) -> Reading | None:
    """Asks about a short text that may ask us to stop, so that neither a no to a colleague nor an opt-out is published.
    A mail is asked about only when it mistypes "stop": by mail, people write whole sentences to colleagues."""
    if len(text) > MOST or not (may_stop(text) if channel == "sms" else is_mistyped_stop(text)):
        return None
    return _ask_to_stop(text)


def _no_reply(text: str, context: Context) -> Reading | None:
    """Asks about "reply privately …", and about "Reply STOP", which copies our own words: neither is a public reply."""
    if text[0] not in "rRaA":
        return None
    return _ask_to_stop(text) if repeats_our_words(text) else replies.asked_privately(text, context)


def _ask_to_stop(text: str) -> Reading:
    reason = say("this may mean that you want no more texts")
    return Reading("ask", ("", text), "direct", reason, None, (), text, unknown=STOP)


def _machine(context: Context) -> Reading | None:
    return Reading("machine", reason=context.machine) if context.machine else None


def _carrier_by_mail(text: str, channel: Channel) -> Reading | None:
    """A mail opts out no phone: these words turn the mailbox off and on, as `off` and `on` do."""
    if channel != "email":
        return None
    word = "stop" if stops_mails(text) else carrier_word(text)
    if word in ("stop", "start"):
        verb = "off" if word == "stop" else "on"
        return Reading(verb, reason=f"as a whole mail it means {verb}", verb=verb, text=text)
    return Reading("help", reason="a word for help", verb="help", text=text) if word == "help" else None


def _reaction(found: ReadReaction | None, text: str) -> Reading | None:
    if found is None:
        return None
    if found.lost:
        return Reading("dropped", reason="a reaction to an image has no target", text=text)
    args = ("remove", found.what) if found.removed else (found.what,)
    target = "the last item delivered" if found.text is None else "the item with these words"
    return Reading("reaction", args, reason=f"a reaction to {target}", text=found.text or "")


def _by_shape(text: str, resolver: Resolver, context: Context) -> ReadReaction | None:
    """Reads a short phrase that quotes an item on this phone as a reaction, in any language. A text that names somebody
    beside the quotation is about that person, and is no reaction."""
    found = possible_reaction(text)
    if found is None or found.text is None or any(resolver(name_of(word)).exact for word in words_beside(text)):
        return None
    return found if context.quotes_item(found.text) else None


def _unmarked_half(text: str, channel: Channel, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """Without a part mark, only a text that comes within seconds after a private text is its second half."""
    half = context.half
    if half is None or half.open or not half.joinable or half.age > AT_ONCE:
        return None
    return _second_half(text, channel, verbs, resolver, context)


def _second_half(text: str, channel: Channel, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """Reads what follows a long private text within seconds. When it is private by itself, it goes to those it names.
    When the first half is still held, both halves are read together, but never as something that others may read."""
    half = context.half
    if half is None or replies.takes_back(text):
        return None
    own = private_reading(text, resolver, _private_words(verbs))
    if own is not None and (own.intent == "direct" or not half.held):
        return own
    if not half.held:
        return replies.second_half(text, context)
    whole = f"{half.held} {text}"
    reading = read(whole, channel, verbs, resolver, replace(context, half=None, question=None))
    if reading.privacy == "direct" or reading.intent == "ask":
        return reading
    return _kept(whole, say("the second half of what was kept"))


def _meant_literally(text: str) -> Reading | None:
    """A leading dot or quote means that the words are no command."""
    if text[0] == ".":
        return Reading(
            "update", (bare := text[1:].lstrip() or text,), reason="a leading dot makes it an update", text=bare
        )
    if text[0] in OPENING_QUOTES:
        return Reading("update", (bare := unquote(text),), reason="quoted, so it is an update", text=bare)
    return None


def _forced(text: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """A leading slash marks a command; such a text is never posted."""
    if text[0] not in "/／":
        return None
    bare = text[1:].lstrip()
    private = private_reading(bare, resolver, _private_words(verbs)) if bare else None
    return private or forced_command(text, bare, verbs, resolver, context)


def _command(text: str, channel: Channel, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """By mail only a single line is a command, but a reply to something private stays private however long it is."""
    if text[0] in _OPENING_MARKS:
        return _behind_marks(text, channel, verbs, resolver, context)
    short = text.count(" ") < 2 and not ends_politely(text)  # too short to contain small words
    reading = (
        (None if short else natural_command(text, verbs, resolver, context))
        or command(text, verbs, resolver, context)
        or read_slip(text, resolver)
        or (natural_command(text, verbs, resolver, context) if short else None)
    )
    if channel == "email" and "\n" in text and reading and reading.privacy != "direct":
        return None
    return reading


_OPENING_MARKS = "¿¡"  # Spanish writes them before a question and an exclamation
# "- follow kim", "👉 follow kim", "Fwd: follow kim", "hey critter, follow kim".
_BEFORE_COMMANDS = re.compile(
    r"(?:(?:(?:hey|hi|ok),? )?critter\b|fwd?:|cmd\b|command\b|[^\w@#/.\"“„«+(:;<?]){1,20}", re.IGNORECASE
)
_APART = re.compile(r"\s+[!?]+$")


def _behind_marks(text: str, channel: Channel, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    bare = _APART.sub("", text.lstrip(_OPENING_MARKS + " "))
    found = _command(bare, channel, verbs, resolver, context) if bare else None
    return replace(found, text=text) if found and found.text == bare else found


def _perhaps_command(text: str, channel: Channel, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """Asks about a text that begins like a command about somebody but is none. A mail of several lines is prose."""
    if channel == "email" and "\n" in text:
        return None
    before = _BEFORE_COMMANDS.match(text)
    bare = text[before.end() :] if before else text
    found = (
        name_after_verb(bare, verbs, resolver, context)
        or mistyped_setting(bare, verbs, resolver, context)
        or mistyped_zone(bare, verbs)
    )
    return replace(found, text=text) if found else None


def _private_words(verbs: Verbs) -> frozenset[str]:
    d = verbs.get("d")
    if d is None or not d.private:
        return VERBS
    abroad = [word for words in d.abroad.values() for word in words if word in verbs]
    return VERBS.union(d.aliases, abroad) if abroad or not VERBS.issuperset(d.aliases) else VERBS


def _update(text: str, verbs: Verbs) -> Reading:
    word = text.split(None, 1)[0]
    verb = verbs.get(word.casefold())
    reason = f'"{word}" with other words after it is an update' if verb else "an update"
    return Reading("update", (text,), reason=reason, text=text)
