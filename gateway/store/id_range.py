"""A page of a list that is ordered by ids, which sort by time: how lists are asked for from outside."""

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, SQLColumnExpression

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class IdRange:
    """Below `below`, above `above`; `next_above`: those that come next above it, the oldest first. At most `limit`."""

    below: int | None = None
    above: int | None = None
    next_above: int | None = None
    limit: int = 20

    def apply(self, statement: Select[Any], column: SQLColumnExpression[int]) -> Select[Any]:
        """The rows of this page. With `next_above` they come oldest first; `newest_first` turns them around."""
        if self.below is not None:
            statement = statement.where(column < self.below)
        floor = max((each for each in (self.above, self.next_above) if each is not None), default=None)
        if floor is not None:
            statement = statement.where(column > floor)
        order = column.asc() if self.next_above is not None else column.desc()
        return statement.order_by(order).limit(self.limit)

    def newest_first(self, rows: list[Row]) -> list[Row]:
        """The rows as a list shows them."""
        return rows[::-1] if self.next_above is not None else rows
