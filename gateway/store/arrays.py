"""Long columns of numbers as one parameter of a statement; the ledger and the audience send batches of ids so."""

from collections.abc import Iterable


def numbers(values: Iterable[int | None]) -> str:
    """As PostgreSQL writes an array, for a CAST in the statement. The driver's own way takes five times as long."""
    return f"{{{','.join(map(str, values))}}}".replace("None", "NULL")
