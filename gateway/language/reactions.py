"""Reactions as phones send them: `Liked "…"`, `Reacted 👍 to "…"`, a lone emoji. grammar.py asks here early."""

import re
from dataclasses import dataclass

_MARK = r"[\"'“”„‟«»‘’]"
_QUOTED = rf"{_MARK}\s*(?P<text>.*?)\s*{_MARK}"
_SAID = {
    "like": "Liked | Gefällt | A aimé | Le gustó | Gostou de | Curtiu | Piace | Ha messo mi piace a | Vond leuk | "
    "Vindt leuk | Polubiono ",
    "love": "Loved | Hat geliebt | A adoré | Le encantó | Amou | Adorou | Adora | Vond geweldig | Pokochano",
    "dislike": "Disliked | Gefällt nicht | N’a pas aimé | N'a pas aimé | No le gustó | Não gostou de | Non piace | "
    "Vond niet leuk ",
    "laugh": "Laughed at | Hat gelacht über | A ri de | Se rio de | Se rió de | Riu de | Ha riso a | Lachte om",
    "emphasize": "Emphasized | Emphasised | Hat hervorgehoben | A mis en exergue | Enfatizó | Enfatizou | Ha "
    "evidenziato | Benadrukte ",
    "question": "Questioned",
}
_WORDS = {said.strip(): word for word, phrases in _SAID.items() for said in phrases.split("|")}
_MEDIA = (
    r"(?:an?|\d+) (?:image|photo|picture|movie|video|audio message|voice message|sticker|attachment)s?"
    r"|an? (?:link|location|contact|file|memoji|gif)"
    r"|ein Bild|eine Sprachnachricht|ein Video|une image|une photo|une vidéo|una imagen|una foto|un video"
    r"|uma imagem|uma foto|um vídeo"
    r"|un'immagine|un’immagine|een afbeelding|een foto|zdjęcie|obraz"
)
_TARGET = rf"(?:{_QUOTED}|(?P<media>{_MEDIA}))\.?"
_BASE = (
    r"[\U0001F004-\U0001FAFF\u203c\u2049\u231a-\u23ff\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55"
    r"\u3030\u303d\u3297\u3299\u2194-\u21aa]|[©®™ℹ]\ufe0f"
)
_JOINED = rf"(?:{_BASE})[\ufe0e\ufe0f]?[\U0001F3FB-\U0001F3FF]?[\U000E0020-\U000E007F]*"
EMOJI = rf"(?:[\U0001F1E6-\U0001F1FF]{{2}}|[0-9#*]\ufe0f?\u20e3|{_JOINED}(?:\u200d{_JOINED})*)"

_TAPBACK = re.compile(
    rf"(?P<word>{'|'.join(sorted(map(re.escape, _WORDS), key=len, reverse=True))})\s{_TARGET}", re.DOTALL
)
_REACTED = re.compile(
    rf"(?:Reacted (?P<emoji>{EMOJI}) to|(?P<bare>{EMOJI}) to|Hat mit (?P<de>{EMOJI}) (?:auf|reagiert auf)"
    rf"|A réagi (?:avec|par) (?P<fr>{EMOJI}) à|Reaccionó con (?P<es>{EMOJI}) a"
    rf"|Reagiu com (?P<pt>{EMOJI}) a)\s{_TARGET}",
    re.DOTALL,
)
_REMOVED = re.compile(
    r"Removed (?:an? )?"
    r"(?:(?P<word>like|heart|love|dislike|laugh|exclamation(?: mark)?|emphasis|question(?: mark)?)"
    rf"|(?P<emoji>{EMOJI})(?: reaction)?) from\s{_TARGET}",
    re.DOTALL,
)
_REMOVED_WORDS = {
    "heart": "love",
    "exclamation": "emphasize",
    "exclamation mark": "emphasize",
    "emphasis": "emphasize",
    "question mark": "question",
}
_LONE = re.compile(EMOJI)
_STARTS = frozenset(word[0] for word in _WORDS) | frozenset("R")
_LONGEST_EMOJI = 40


@dataclass(frozen=True, slots=True)
class Reaction:
    """`what` is a word (like, love, …) or an emoji; `text` the words of its target, else None."""

    what: str
    text: str | None = None
    removed: bool = False
    lost: bool = False


def reaction(text: str) -> Reaction | None:
    """The reaction a cleaned text is, None when it is none. `lost`: its target is an image."""
    start = text[:1]
    if start.isascii() and start not in _STARTS and not start.isdigit() and start not in "#*":
        return None
    if len(text) <= _LONGEST_EMOJI and _LONE.fullmatch(text):
        return Reaction(text)
    for pattern in (_TAPBACK, _REACTED, _REMOVED):
        if match := pattern.fullmatch(text):
            return _of(match, removed=pattern is _REMOVED)
    return None


def _of(match: re.Match[str], removed: bool) -> Reaction:
    found = match.groupdict()
    word = found.get("word")
    known = _REMOVED_WORDS.get(word, word) if removed and word else _WORDS.get(word or "")
    emoji = next((found[name] for name in ("emoji", "bare", "de", "fr", "es", "pt") if found.get(name)), "")
    return Reaction(known or emoji, found["text"], removed, lost=found["media"] is not None)
