"""What the addresses of our mail domain mean. The mail door asks before it accepts, workers when they sort a mail."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from gateway.language.words.normalize import without_invisible
from gateway.network.people.handles import HANDLE, canonical_handle
from gateway.security.signed_tokens import Signer

Kind = Literal[
    "post", "secret", "help", "operator", "handle", "join", "leave", "reply", "unsubscribe", "bounce", "confirm"
]
FIXED: Final[dict[str, Kind]] = {"post": "post", "help": "help", "postmaster": "operator", "abuse": "operator"}
TOKENS: Final[dict[str, Kind]] = {"r": "reply", "u": "unsubscribe", "b": "bounce", "c": "confirm"}
VERBS: Final[dict[str, Kind]] = {"join": "join", "leave": "leave"}
_SEPARATOR: Final = re.compile(r"[-+.]")  # relays in front of us differ in which of these they accept
_SECRET: Final = re.compile(r"[a-z2-7]{26,52}")  # base32 of 128 bits or more


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a mail goes: a fixed address, a person's or group's handle (not looked up yet), or what a token means.

    `secret` is the secret word of a posting address; only the database knows whose it is, if anybody's."""

    kind: Kind
    handle: str = ""
    ids: tuple[int, ...] = ()
    secret: str = ""


def read(local: str, signer: Signer) -> Recipient | None:
    """The meaning of what stands before the @, without invisible characters; None when it means nothing here."""
    local = without_invisible(local)
    if fixed := FIXED.get(local.lower()):
        return Recipient(fixed)
    head, *rest = _SEPARATOR.split(local, maxsplit=1)
    if rest:
        return _extended(head.lower(), rest[0].lower(), signer)
    handle = canonical_handle(local)
    return Recipient("handle", handle) if HANDLE.fullmatch(handle) else None


def _extended(head: str, rest: str, signer: Signer) -> Recipient | None:
    """Reads `r+TOKEN`, `post+SECRET`, `sales+join`, and the same with - or . instead."""
    if kind := TOKENS.get(head):
        ids = signer.read(kind, rest)
        return Recipient(kind, ids=ids) if ids and len(ids) == 2 else None
    if head == "post":
        return Recipient("secret", secret=rest) if _SECRET.fullmatch(rest) else None
    verb, handle = VERBS.get(rest), canonical_handle(head)
    return Recipient(verb, handle) if verb and HANDLE.fullmatch(handle) else None
