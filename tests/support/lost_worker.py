"""A worker that is lost in a transaction: whatever it had not committed is gone, and the next one does it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from sqlalchemy import Engine, event


class WorkerLost(BaseException):
    """No handler of errors may catch it: a process that is killed handles nothing."""


def lose(engines: tuple[Engine, ...], at: int, work: Callable[[], object]) -> bool:
    """Does the work, and is lost before the statement of this number; False when it needs fewer."""
    try:
        with _counted(engines, at):
            work()
    except WorkerLost:
        return True
    return False


@contextmanager
def _counted(engines: tuple[Engine, ...], at: int) -> Iterator[None]:
    numbers = count(1)

    def before(*_: object) -> None:
        if next(numbers) >= at:
            raise WorkerLost

    for engine in engines:
        event.listen(engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", before)
