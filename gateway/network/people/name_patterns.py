"""Builds patterns that find a person's names and addresses in what others wrote, so that erasing can remove them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

SEPARATORS = r"[ ().\-]*"  # between the digits of a number, as people write it


class NamePatterns(NamedTuple):
    """PostgreSQL regular expressions, for case-insensitive use. `plain`: what can mean nobody else: @handle, the whole
    name, numbers, mailboxes. `bare`: also the handle and the aliases as words; for texts about that person, and for
    Critter's own. `raw`: any of it in a form or a mail as it was received, however encoded."""

    plain: str
    bare: str
    raw: str


def patterns(handle: str, name: str, aliases: Sequence[str], addresses: Sequence[str]) -> NamePatterns:
    words = [handle, *aliases]
    plain = [rf"@{_word(word)}" for word in words] + [rf"\m{_word(name)}", *map(_address, addresses)]
    bare = plain + [rf"\m{_word(word)}" for word in words]
    parts = {handle, *aliases, *re.split(r"\W+", name)}
    raw = [re.escape(part) for part in sorted(parts) if len(part) > 1]
    return NamePatterns(_any(plain), _any(bare), _any(raw + [_digits(address) for address in addresses]))


def _any(choices: Sequence[str]) -> str:
    return "|".join(f"(?:{choice})" for choice in choices)


def _word(words: str) -> str:
    return rf"{re.escape(words)}\M" if re.match(r"\w", words[-1:]) else re.escape(words)


def _address(address: str) -> str:
    """The pattern of an address. A number is found however its digits are grouped, with its country code or without."""
    digits = address.removeprefix("+")
    if not digits.isdecimal():
        return re.escape(address)
    country, national = digits[:-10], digits[-10:]
    return rf"\+?\(?(?:{SEPARATORS.join(country)}{SEPARATORS})?{SEPARATORS.join(national)}(?!\d)"


def _digits(address: str) -> str:
    digits = address.removeprefix("+")
    return digits[-10:] if digits.isdecimal() else re.escape(address).replace("@", "(?:@|%40)")
