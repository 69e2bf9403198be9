"""The words for ways and causes in `prefer mail for mentions`. The kinds of arguments CHANNEL, WAY and CAUSE read by
it."""

from typing import Final

_TEXT: Final = ("text", "texts", "sms", "phone", "mensaje", "mensajes")
_MAIL: Final = ("mail", "mails", "email", "emails", "e-mail", "e-mails", "correo", "correos")

_PUSH: Final = ("push", "pushes")
_WEB: Final = ("web", "página", "pagina")

CHANNELS: Final = {
    **dict.fromkeys(_TEXT, "text"),
    **dict.fromkeys(_PUSH, "push"),
    **dict.fromkeys(_MAIL, "mail"),
    **dict.fromkeys(_WEB, "web"),
}
WAYS: Final[dict[str, str | None]] = {
    **dict.fromkeys(_TEXT, "text"),
    **dict.fromkeys(_PUSH, "push"),
    **dict.fromkeys(_MAIL, "mail"),
    **dict.fromkeys(("digest", "digests", "resumen"), "digest"),
    **dict.fromkeys(_WEB, "web"),
    **dict.fromkeys(("nothing", "nada"), "nothing"),
    **dict.fromkeys(("usual", "normal"), None),
}
# By the names of causes (gateway/attention/causes).
CAUSE_WORDS: Final = {
    **dict.fromkeys(("private", "privado", "privados"), "private"),
    **dict.fromkeys(("mention", "mentions", "menciones"), "mention"),
    **dict.fromkeys(("reply", "replies", "respuestas"), "reply"),
    **dict.fromkeys(("tracked",), "tracked"),
    **dict.fromkeys(("group", "groups", "grupos"), "group"),
    **dict.fromkeys(("people", "personas"), "person"),
    **dict.fromkeys(("tag", "tags", "etiquetas"), "tag"),
    **dict.fromkeys(("broadcast", "broadcasts"), "broadcast"),
}


def preferred_of(word: str) -> str | None:
    """What is to come instead of texts; None: texts."""
    return None if CHANNELS[word] == "text" else CHANNELS[word]


def way_of(word: str) -> str | None:
    """None: as usual."""
    return WAYS[word]
