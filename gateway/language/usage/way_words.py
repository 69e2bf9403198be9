"""The words for ways and causes in `prefer mail for mentions`. The kinds of arguments CHANNEL, WAY and CAUSE read by
it."""

from typing import Final

from gateway.attention.causes import DeliveryCause as Cause
from gateway.channels import EMAIL, SMS

_TEXT: Final = ("text", "texts", "sms", "phone", "mensaje", "mensajes")
_MAIL: Final = ("mail", "mails", "email", "emails", "e-mail", "e-mails", "correo", "correos")

CHANNELS: Final = {**dict.fromkeys(_TEXT, SMS), **dict.fromkeys(_MAIL, EMAIL)}
WAYS: Final[dict[str, str | None]] = {
    **dict.fromkeys(_TEXT, "text"),
    **dict.fromkeys(_MAIL, "mail"),
    **dict.fromkeys(("digest", "digests", "resumen"), "digest"),
    **dict.fromkeys(("nothing", "nada"), "nothing"),
    **dict.fromkeys(("usual", "normal"), None),
}
CAUSE_WORDS: Final = {
    **dict.fromkeys(("private", "privado", "privados"), Cause.PRIVATE),
    **dict.fromkeys(("mention", "mentions", "menciones"), Cause.MENTION),
    **dict.fromkeys(("reply", "replies", "respuestas"), Cause.REPLY),
    **dict.fromkeys(("tracked",), Cause.TRACKED),
    **dict.fromkeys(("group", "groups", "grupos"), Cause.GROUP),
    **dict.fromkeys(("people", "personas"), Cause.PERSON),
    **dict.fromkeys(("tag", "tags", "etiquetas"), Cause.TAG),
    **dict.fromkeys(("broadcast", "broadcasts"), Cause.BROADCAST),
}


def channel_of(word: str) -> str:
    return CHANNELS[word]


def way_of(word: str) -> str | None:
    """None: as usual."""
    return WAYS[word]
