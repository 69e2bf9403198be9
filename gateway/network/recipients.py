"""What the addresses of our mail domain mean. The mail door asks before it accepts, workers when they sort a mail."""

from dataclasses import dataclass
from typing import Final, Literal

from gateway.network.handles import HANDLE, canonical_handle
from gateway.tokens import Signer

Kind = Literal["post", "help", "operator", "handle", "reply", "unsubscribe", "bounce"]
FIXED: Final[dict[str, Kind]] = {"post": "post", "help": "help", "postmaster": "operator", "abuse": "operator"}
TOKENS: Final[dict[str, Kind]] = {"r": "reply", "u": "unsubscribe", "b": "bounce"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a mail goes: a fixed address, a person's or group's handle (not looked up yet), or what a token says."""

    kind: Kind
    handle: str = ""
    ids: tuple[int, ...] = ()


def read(local: str, signer: Signer) -> Recipient | None:
    """The meaning of what stands before the @; None when it can mean nothing here."""
    if fixed := FIXED.get(local.lower()):
        return Recipient(fixed)
    letter, plus, token = local.partition("+")
    if plus:
        return _by_token(letter.lower(), token, signer)
    handle = canonical_handle(local)
    return Recipient("handle", handle) if HANDLE.fullmatch(handle) else None


def _by_token(letter: str, token: str, signer: Signer) -> Recipient | None:
    kind = TOKENS.get(letter)
    ids = signer.read(kind, token) if kind else None
    return Recipient(kind, ids=ids) if kind and ids and len(ids) == 2 else None
