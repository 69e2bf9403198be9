"""A post that is not written yet, for whoever asks what it would do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PLANNED: Final = 0  # stands for the message of a planned post; no row has such an id


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """A post that is not written yet, as far as it matters to who gets it. `people`: of a direct post, each with whom
    the writer named; `mentioned`: whom its words name."""

    author_id: int
    visibility: str
    sources: Sequence[int]
    group_id: int | None = None
    in_reply_to: int | None = None
    people: Sequence[tuple[int, int]] = ()
    mentioned: Sequence[int] = ()
