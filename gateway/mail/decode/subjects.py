"""Puts the subject of a mail before its words: `Subject: words`. gateway/inbound/mail_routing.py calls it."""

import re
from typing import Final

from gateway.language.privacy import fingerprints

# "Re" in the languages of mail programs.
REPLY: Final = (
    r"re|aw|antw|antwort|sv|svar|vs|vá|ref|rép|réf|rif|ris|r|res|resp|rsp|odp|ynt|yan|απ|σχετ|השב|تعليق|رد|bls|balas|"
    r"trả lời|atb|vast|отв|ответ|відп|отг|одг|odg|回复|回覆|答复|返信|回信|답장|답글|회신|ตอบ|ตอบกลับ"
)
_EMPTY: Final = frozenset({
    "no subject", "none", "kein betreff", "ohne betreff", "sans objet", "aucun objet", "sin asunto",
    "ningún asunto", "senza oggetto", "nessun oggetto", "geen onderwerp", "sem assunto", "inget ämne",
    "ingen ämnesrad", "ingen emne", "intet emne", "ei aihetta", "brak tematu", "bez tematu", "bez předmětu",
    "без темы", "без теми", "nincs tárgy", "konu yok", "fără subiect", "χωρίς θέμα", "ללא נושא", "بدون موضوع",
    "không có chủ đề", "tanpa subjek", "sans titre", "sin título", "senza titolo", "sem título", "uten emne",
    "uden emne", "bez naslova", "bez predmeta", "kein thema", "ohne titel", "无标题", "無標題",
    "无主题", "無主旨", "無題", "件名なし", "제목 없음", "ไม่มีหัวเรื่อง",
    # subjects that phones and programs write when nobody wrote one
    "mms", "sms", "mms message", "text message", "multimedia message", "photo", "photos", "foto", "fotos",
    "picture", "pictures", "image", "images", "bild", "bilder", "imagen", "immagine", "afbeelding", "zdjęcie",
    "фото", "写真", "照片", "video", "untitled", "message", "new message", "mail", "a mail", "email", "e mail",
    "nachricht", "neue nachricht", "mensaje", "messaggio", "bericht", "note", "notes", "notiz", "memo",
    "subject", "betreff", "objet", "asunto",
    # greetings, which say nothing about the content
    "hello", "hi", "hey", "hallo", "hola", "bonjour", "salut", "ciao", "hej", "moi", "cześć", "привет", "olá",
    "oi",
})  # fmt: skip
_MOST_WORDS: Final = 40  # a longer subject repeats the text, or a machine wrote it
_ENDS: Final = (".", "!", "?", "…", ":", "。", "！", "？")
_EDGES: Final = re.compile(r"^[\W_]+|[\W_]+$")
_FILE: Final = re.compile(  # what cameras and scanners call a picture
    r"[\w ()-]{1,60}\.(?:jpe?g|png|gif|heic|webp|mp4|mov|3gp|pdf|m4a|amr)|sent from my \w+|"
    r"(?:screenshot|bildschirmfoto|capture d.écran|schermata|captura de pantalla|skärmavbild)[\W\d]{0,40}",
    re.IGNORECASE,
)
_COUNTED: Final = re.compile(r"[\W_]*\d*[\W_]*$")


def with_subject(subject: str, text: str) -> str:
    """The words with the subject before them, unless the subject adds nothing."""
    title = " ".join(subject.split())
    if not text or not title or is_generic(title) or _stands_in(title, text) or len(title.split()) > _MOST_WORDS:
        return text
    return f"{title} {text}" if title.endswith(_ENDS) else f"{title}: {text}"


def is_generic(subject: str) -> bool:
    """Whether there is no subject, or one that a program wrote, perhaps with a number behind it."""
    bare = _EDGES.sub("", " ".join(fingerprints.tokens(_COUNTED.sub("", subject))))
    spaced = " ".join(re.findall(r"\w+", _COUNTED.sub("", subject.casefold())))
    if _FILE.fullmatch(subject.strip()):
        return True
    return not bare or bare in _EMPTY or spaced in _EMPTY


def _stands_in(subject: str, text: str) -> bool:
    """Whether the text contains the subject's words in the same order, without words between."""
    words, said = fingerprints.tokens(subject), fingerprints.tokens(text)
    return not words or f" {' '.join(words)} " in f" {' '.join(said)} "
