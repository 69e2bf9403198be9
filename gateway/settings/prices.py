"""What one part of a text costs in each country: the table beside this file, overridden by a company's own table.

Settings.price_of asks; defaults.py takes the price at home and the budgets from it.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Final

from gateway.errors import SettingsError

TABLE: Final = Path(__file__).with_name("prices.csv")
COLUMNS: Final = ("country", "out", "in")
DEAREST: Final = Decimal(10)  # dollars for one part; a higher price must be a mistake


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars by ISO country code: `out` for texts to it, `back` for texts from it."""

    out: Mapping[str, Decimal]
    back: Mapping[str, Decimal]

    def to(self, country: str) -> Decimal:
        """The price of one part to a phone there; the highest known price when the country is unknown."""
        return self.out.get(country) or max(self.out.values())

    def origin(self, country: str) -> Decimal:
        """The price of one part from a phone to our number of that country; when unknown, the price of one to it."""
        return self.back.get(country) or self.to(country)


@lru_cache(maxsize=8)
def read(own: Path | None = None) -> Prices:
    """The table, overridden by the lines of `own`; raises SettingsError that names the line that cannot be read."""
    out: dict[str, Decimal] = {}
    back: dict[str, Decimal] = {}
    for path in [TABLE, *([own] if own else [])]:
        for country, price, received in _lines(path):
            out[country] = price
            if received is not None:
                back[country] = received
    return Prices(out, back)


def _lines(path: Path) -> Iterator[tuple[str, Decimal, Decimal | None]]:
    try:
        written = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"CRITTER_SMS_PRICES: {path} cannot be read ({error})") from None
    numbered = [(number, line) for number, line in enumerate(written, 1) if line.strip() and line[0] != "#"]
    if not numbered or tuple(next(csv.reader([numbered[0][1]])))[:2] != COLUMNS[:2]:
        raise SettingsError(f"CRITTER_SMS_PRICES: {path} must begin with the line {','.join(COLUMNS)}")
    for number, line in numbered[1:]:
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        where = f"CRITTER_SMS_PRICES: {path}, line {number}"
        if len(cells) < 2 or not (len(cells[0]) == 2 and cells[0].isascii() and cells[0].isupper()):
            raise SettingsError(f"{where}: must be like US,0.0083,0.0083")
        yield cells[0], _price(cells[1], where), _price(cells[2], where) if len(cells) > 2 and cells[2] else None


def _price(cell: str, where: str) -> Decimal:
    try:
        price = Decimal(cell)
    except InvalidOperation:
        price = Decimal(-1)
    if not 0 < price <= DEAREST:
        raise SettingsError(f"{where}: {cell[:20]!r} is no price in dollars for one part, such as 0.0083")
    return price
