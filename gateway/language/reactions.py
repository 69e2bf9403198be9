"""Reactions as phones send them: `Liked "…"`, `Reacted 👍 to "…"`, one lone emoji. grammar.py asks before it reads commands."""

import re
from dataclasses import dataclass

_MARK = r"[\"'“”„‟«»‘’]"
_QUOTED = rf"{_MARK}\s*(?P<text>.*?)\s*{_MARK}"
_WORDS = {
    "Liked": "like", "Loved": "love", "Disliked": "dislike", "Laughed at": "laugh", "Emphasized": "emphasize",
    "Emphasised": "emphasize", "Questioned": "question",
    "Gefällt": "like", "Hat geliebt": "love", "Gefällt nicht": "dislike", "Hat gelacht über": "laugh", "Hat hervorgehoben": "emphasize",
    "A aimé": "like", "A adoré": "love", "N’a pas aimé": "dislike", "N'a pas aimé": "dislike", "A ri de": "laugh", "A mis en exergue": "emphasize",
    "Le gustó": "like", "Le encantó": "love", "No le gustó": "dislike", "Se rio de": "laugh", "Se rió de": "laugh", "Enfatizó": "emphasize",
    "Gostou de": "like", "Curtiu": "like", "Amou": "love", "Adorou": "love", "Não gostou de": "dislike", "Riu de": "laugh", "Enfatizou": "emphasize",
    "Piace": "like", "Ha messo mi piace a": "like", "Adora": "love", "Non piace": "dislike", "Ha riso a": "laugh", "Ha evidenziato": "emphasize",
    "Vond leuk": "like", "Vindt leuk": "like", "Vond geweldig": "love", "Vond niet leuk": "dislike", "Lachte om": "laugh", "Benadrukte": "emphasize",
    "Polubiono": "like", "Pokochano": "love",
}  # fmt: skip
_MEDIA = (
    r"(?:an?|\d+) (?:image|photo|picture|movie|video|audio message|voice message|sticker|attachment|link|location|contact|file|memoji|gif)s?"
    r"|ein Bild|eine Sprachnachricht|ein Video|une image|une photo|une vidéo|una imagen|una foto|un video|uma imagem|uma foto|um vídeo"
    r"|un'immagine|un’immagine|een afbeelding|een foto|zdjęcie|obraz"
)
_TARGET = rf"(?:{_QUOTED}|(?P<media>{_MEDIA}))\.?"
_BASE = r"[\U0001F004-\U0001FAFF\u203c\u2049\u231a-\u23ff\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\u2194-\u21aa]|[©®™ℹ]\ufe0f"
_JOINED = rf"(?:{_BASE})[\ufe0e\ufe0f]?[\U0001F3FB-\U0001F3FF]?[\U000E0020-\U000E007F]*"
EMOJI = rf"(?:[\U0001F1E6-\U0001F1FF]{{2}}|[0-9#*]\ufe0f?\u20e3|{_JOINED}(?:\u200d{_JOINED})*)"

_TAPBACK = re.compile(
    rf"(?P<word>{'|'.join(sorted(map(re.escape, _WORDS), key=len, reverse=True))})\s{_TARGET}", re.DOTALL
)
_REACTED = re.compile(
    rf"(?:Reacted (?P<emoji>{EMOJI}) to|(?P<bare>{EMOJI}) to|Hat mit (?P<de>{EMOJI}) (?:auf|reagiert auf)|A réagi (?:avec|par) (?P<fr>{EMOJI}) à"
    rf"|Reaccionó con (?P<es>{EMOJI}) a|Reagiu com (?P<pt>{EMOJI}) a)\s{_TARGET}",
    re.DOTALL,
)
_REMOVED = re.compile(
    rf"Removed (?:(?:a |an )?(?P<word>like|heart|love|dislike|laugh|exclamation|exclamation mark|emphasis|question mark|question)"
    rf"|(?:a |an )?(?P<emoji>{EMOJI})(?: reaction)?) from\s{_TARGET}",
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
    """`what` is a word (like, love, …) or an emoji; `text` the words of its target, None for an image or a lone emoji."""

    what: str
    text: str | None = None
    removed: bool = False
    lost: bool = False


def reaction(text: str) -> Reaction | None:
    """The reaction a cleaned text is, None when it is none. `lost`: its target is an image, which nothing can be found by."""
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
