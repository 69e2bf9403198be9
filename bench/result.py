"""One line of the bench's table; every measure in this folder returns a list of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """A figure beside the one of its peer from the same run; the goal is a ratio of the two."""

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float
    goal: float

    @property
    def ratio(self) -> float:
        return self.value / self.peer_value if self.peer_value else 0.0

    @property
    def met(self) -> bool:
        return self.ratio >= self.goal

    def row(self) -> dict[str, str | float | bool]:
        return {**asdict(self), "ratio": round(self.ratio, 3), "met": self.met}
