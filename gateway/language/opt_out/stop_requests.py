"""Requests to stop in people's own words: "do not ever contact me again", "STOP" with an emoji or a signature.

keywords.py and grammar.py call it: `is_plain_stop` says that a text is a request, `may_be_stop` and
`is_mistyped_stop` that it may be one. A request counts whatever surrounds the word; a possible one is asked about."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from gateway.language.reactions.reactions import EMOJI
from gateway.mail.footers.device_footers import is_device

MOST = 60  # characters of a text that is asked about; a longer one was written to colleagues
_LONGEST = 160  # characters of a text that is read as a request
_EMOJI: Final = re.compile(rf"(?:{EMOJI})+")
_BLANK: Final = re.compile(r"[^\w']+")
_SIGN: Final = re.compile(r"^(?:--|—|–|__|-\s)")

# Every word of a plain request is one of these: it refuses (_NO), says what (_WHAT), or is a small word.
_NO_WORDS = "stop stopp stopping stopall unsubscribe unsub optout quit cease end cancel remove delete"
_NEVER_WORDS = "not never no dont donot don't wont nomore"
_WHAT_WORDS = """
text texts texting contact contacting message messages messaging sms spam spamming bother bothering alerts
notifications updates list number phone subscription
"""
_SMALL_WORDS = """
please pls plz now immediately all any every ever more again anymore already the these this those that your you u my
mine me from to of on at for with it them ok okay just do i i'd id i'm im want wanna would like need wish hey hi hello
sir thanks thank kindly sending send sends receiving receive getting get wanting critter
"""
_OURS_WORDS = "unsubscribe unsub optout out"  # people say these to a mailing list, and not to each other
_POLITE_WORDS = "please pls plz now thanks thx immediately ok okay already por favor ya"
_MAIL_WORDS = "mail mails mailing email emails emailing e newsletter newsletters digest digests mailbox address"
_ALONE_WORDS = "stop stopp quit end cancel unsubscribe unsub revoke optout stopall baja alto arret"
_NO: Final = frozenset(_NO_WORDS.split())
_WHAT: Final = frozenset(_WHAT_WORDS.split())
_OURS: Final = frozenset(_OURS_WORDS.split())
_ALONE: Final = frozenset(_ALONE_WORDS.split())
_BY_MAIL: Final = frozenset(_MAIL_WORDS.split())
_POLITE: Final = frozenset(_POLITE_WORDS.split())
_KNOWN: Final = _NO | _WHAT | frozenset(_NEVER_WORDS.split()) | frozenset(_SMALL_WORDS.split())
_PHRASES: Final = re.compile(
    r"\b(?:opt(?:ing)? (?:me )?out|take me off|leave me alone|wrong number|lose my number|no more|do not|don'?t"
    r"|never)\b"
)
# A refusal counts only with a word of _US beside it: "stop the press" and "cancel my meeting" do not mean us.
_MAY_MEAN_US: Final = re.compile(
    r"\b(?:stop|stopp|quit|cease|end|cancel|unsubscribe|unsub|remove|delete|opt out|optout|no more|do not|don'?t"
    r"|never)\b"
)
_US: Final = re.compile(
    r"\b(?:text(?:s|ing|ed)?|messag(?:e|es|ing)|msgs?|sms|contact(?:s|ing)?|spam(?:ming)?|notifications?|alerts?"
    r"|subscri\w+|my number|this number|(?:your|this|the) list|these|(?:stop|quit) \w+ing me"
    r"|(?:stop|quit|end) (?:this|it|that|now|already))\b"
)

# Beside "stop" these leave open whether a colleague or we are meant: "who dis stop", "stop for 2 hours".
_OPEN_WORDS = """
dude who whos dis is can could would will how when make today tonight tomorrow till until so much stuff things thing
interested reply txt send critter hour hours day days week weeks month service group groups monday tuesday wednesday
thursday friday saturday sunday thankyou that be there everything
"""
_OPEN: Final = frozenset(_OPEN_WORDS.split())
_STOPPING: Final = frozenset(["stop", "stopp", "stopping", "stopall", "unsubscribe", "unsub", "optout"])
_SPAN: Final = re.compile(r"\d+[a-z]?")
_COMPLAINT: Final = re.compile(
    r"\b(?:(?:cancel|close|delete|deactivate) (?:my|this) (?:account|subscription)"
    r"|(?:turn|switch) off (?:the |these |all |my )*(?:texts?|notifications?|messages?|sms|alerts?)"
    r"|too many (?:texts?|messages?|sms|notifications?)"
    r"|(?:take|get) (?:me|(?:my|this) (?:number|name)) off (?:this|your|the)"
    r"|block this number|wrong number(?: (?:dude|man|mate|sir|buddy|here|sorry|guys?))?$"
    r"|blowing up my phone|unenroll me|leave me be|want to be removed"
    r"|like to be removed|(?:never|did not|didn'?t) sign(?:ed)? up|off (?:this|your) list)\b"
)
# One of these is in every complaint. They are looked up first, because most texts have none of them.
_COMPLAINING: Final = frozenset(["account", "subscription", "off", "many", "number", "phone", "me", "removed", "up"])
_REPLY: Final = re.compile(
    r"(?:reply|answer)[:,]?\s+(?:with\s+)?[\"'“‘]?(?:stop|stopall|unsubscribe)[\"'”’.!]*", re.IGNORECASE
)


# Beginnings of the words of a request. They are checked first, because most texts have none of them.
_SAID: Final = (
    "stop", "quit", "cease", "end", "cancel", "unsub", "remove", "delete", "opt", "no more", "do not", "don", "never",
    "take me off", "leave me alone", "wrong number", "lose my", "revoke", "baja", "alto", "arret",
)  # fmt: skip


def is_mentioned(text: str) -> bool:
    """Whether the text has any word of a request at all. This check is cheap."""
    lower = text[: 2 * _LONGEST].lower() if text.isascii() else unicodedata.normalize("NFKC", text[:320]).casefold()
    return any(word in lower for word in _SAID)


# No requests: a negated refusal ("don't unsubscribe me"), and words about work ("don't send it to the list").
_NOT_A_NO: Final = re.compile(
    r"\b(?:not|dont|don't|donot|never)(?: (?:you|ever|please|want|wish|like|to))*"
    r" (?:stop|unsub|unsubscribe|opt|remove|delete|cancel|end|quit)\b"
    r"|\b(?:not|dont|don't|donot|never) (?:send|list|need|get|getting|receive|receiving)\b"
    r"(?!.*\b(?:me|want|more|anymore|again)\b)"
)
_OF_THINGS: Final = frozenset(["end", "cancel", "remove", "delete"])  # only "delete me" is an opt-out: see _OF_ME
_OF_ME: Final = re.compile(
    r"\bme\b|\b(?:my|this) (?:phone|number|subscription)\b|\bmy (?:mailbox|(?:e ?)?mail|address)\b"
    r"|\ball (?:texts|messages|sms|(?:e ?)?mails)\b"
)
_FIRM: Final = re.compile(
    r"(?:(?:ok|okay|no|nope|yes|just|please|pls|plz|pleas|hey|i said) )*stopp?"
    r"(?: (?:stop|for good|forever|at once|right now|today|thx|ty|merci|bitte|svp|please and thank you"
    r"|critter|txts?|msgs?|them all|everything))*"
)
_SHOUTED: Final = re.compile(r"STOP\b(?! [a-z]+ [a-z]+ )|[Ss]top ?[.,!;:–—-]|.*[.,!?] ?[Ss]top[.!]*$")


def strip_courtesies(text: str) -> str:
    """A text without what phones and people put around it: emoji, device lines, a signature."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = lines[:1]
    for line in lines[1:]:
        if _SIGN.match(line) or is_device(line) or _is_name(line):
            break
        kept.append(line)
    return _EMOJI.sub(" ", " ".join(kept)).strip()


def has_emoji(text: str) -> bool:
    return not text.isascii() and _EMOJI.search(text) is not None


def is_plain_stop(text: str, *, by_mail: bool = False) -> bool:
    """Whether these words ask us to stop, and say nothing else. `by_mail` also accepts words for mails, which a text
    cannot mean."""
    words = _words(text)
    if not words or len(text) > _LONGEST:
        return False
    rest = _PHRASES.sub(" ", " ".join(words)).split()
    said = " ".join(words)
    if _FIRM.fullmatch(said):
        return True
    if _NOT_A_NO.search(said) or (_NO & set(words) and _NO & set(words) <= _OF_THINGS and not _OF_ME.search(said)):
        return False
    refuses = len(rest) < len(words) or bool(_NO & set(words))
    extra = _BY_MAIL if by_mail else frozenset[str]()
    about_us = bool((_WHAT | _OURS | extra) & set(words)) or {"me", "alone"} <= set(words)
    return refuses and about_us and all(word in _KNOWN or word in extra for word in rest)


def may_be_stop(text: str) -> bool:
    """Whether a short text says stop, perhaps mistyped, and may mean us. It is never published without asking."""
    if len(text) > MOST:
        return False
    inner = strip_courtesies(text)
    words = _words(inner)
    bare = " ".join(words)
    if _is_open(words) or (not _COMPLAINING.isdisjoint(words) and _COMPLAINT.search(bare)):
        return True
    if bare in _ALONE or _SHOUTED.match(inner) or _slips(words):
        return True
    return bool(_MAY_MEAN_US.search(bare)) and bool(_US.search(bare))


def repeats_our_words(text: str) -> bool:
    """Whether somebody copied our own "Reply STOP", which would otherwise be a public reply."""
    return _REPLY.fullmatch(text) is not None


def _is_open(words: Sequence[str]) -> bool:
    """Whether a text says stop, and beside it only words that may as well be meant for us."""
    if _STOPPING.isdisjoint(words) or len(words) > _MOST_WORDS or _NOT_A_NO.search(" ".join(words)):
        return False
    return all(word in _KNOWN or word in _OPEN or word in _POLITE or _SPAN.fullmatch(word) for word in words)


def is_mistyped_stop(text: str) -> bool:
    """Whether the whole of a text is a request to stop with a typing error in it: "sotp", "st op", "unsubscibe me"."""
    return len(text) <= MOST and _slips(_words(strip_courtesies(text)))


def _slips(words: Sequence[str]) -> bool:
    if len(words) > _MOST_WORDS:
        return False
    if len(words) > 1 and _is_spelled("".join(words)):
        return True
    meant = [_meant(word) for word in words]
    if meant == list(words):
        return False
    said = " ".join(word for word in meant if word not in _POLITE)
    return said in _ALONE or is_plain_stop(said) or bool(_MAY_MEAN_US.search(said) and _US.search(said))


def _is_spelled(letters: str) -> bool:
    """Whether letters spell a request with blanks inside: "s t o p", "un subscribe", "so tp"."""
    return letters in _SPELLED or (len(letters) == 4 and letters in _TYPOS and set(letters) == set("stop"))


def _one_edit(word: str) -> frozenset[str]:
    """All words that are one edit away: a letter more, fewer or different, or two neighbours swapped."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    fewer = {left + right[1:] for left, right in cuts if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    other = {left + key + right[1:] for left, right in cuts if right for key in _KEYS}
    more = {left + key + right for left, right in cuts for key in _KEYS}
    return frozenset(fewer | swapped | other | more)


_KEYS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_HELD: Final = re.compile(r"s+t+o+p+(?:s+t+o+p+)*")
_MOST_WORDS: Final = 12  # U N S U B S C R I B E, please
_SPELLED: Final = frozenset(["stop", "stopall", "unsubscribe", "optout"])
# Words of their own, one letter away from "stop".
_OTHER_WORDS: Final = "stop stopp stops top sop shop slop swop step stow atop stoop strop stomp estop stoup stob"
_TYPOS: Final = {
    **dict.fromkeys(["stop2end", "stop2quit", "stop2stop"], "stop"),
    **dict.fromkeys(_one_edit("cancel") - {"cancel", "cancels", "cancer", "chancel"}, "cancel"),
    **dict.fromkeys(_one_edit("optout") - {"optout"}, "optout"),
    **dict.fromkeys((_one_edit("stop") | _one_edit("stopall")) - {"stopall", *_OTHER_WORDS.split()}, "stop"),
}
_CLOSE: Final = _one_edit("unsubscribe")
_OF_UNSUBSCRIBE: Final = frozenset("unsubscribe")
_SUBSCRIBES: Final = frozenset(["unsubscribe", "subscribe", "subscriber", "subscribed", "unsubscribes"])


def _meant(word: str) -> str:
    """The word of a request that a mistyped word stands for, or one with a key held down ("stoppp"); else the word."""
    if found := _TYPOS.get(word):
        return found
    if len(word) > 5 and word[0] == "s" and _HELD.fullmatch(word):
        return "stop"
    return "unsubscribe" if _nearly(word) else word


def _nearly(word: str) -> bool:
    """Whether a word is at most two edits from "unsubscribe": then some word is one edit away from both."""
    if not 8 < len(word) < 14 or word in _SUBSCRIBES or "b" not in word or len(_OF_UNSUBSCRIBE & set(word)) < 6:
        return False
    return word in _CLOSE or not _CLOSE.isdisjoint(_one_edit(word))


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _BLANK.sub(" ", folded).split()


def _is_name(line: str) -> bool:
    """Whether a line is a signature of one to three capitalised words."""
    words = line.strip(" .,-–—~*_").split()
    return 0 < len(words) <= 3 and all(word[:1].isupper() and word[1:].islower() for word in words)
