"""One line of the bench's table; every measurement in this folder returns a list of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """A figure beside that of its peer from the same run; the goal is a ratio of the two.

    `short`: the reason, when it misses the goal. `lower`: less is better, so the ratio is the peer's figure to ours.
    """

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float
    goal: float
    short: str = ""
    lower: bool = False

    @property
    def ratio(self) -> float:
        above, below = (self.peer_value, self.value) if self.lower else (self.value, self.peer_value)
        return above / below if below else 0.0

    @property
    def met(self) -> bool:
        return self.ratio >= self.goal

    def row(self) -> dict[str, str | float | bool]:
        """For results.json."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": round(self.peer_value, 3),
            "ratio": round(self.ratio, 3),
            "goal": self.goal,
            "met": self.met,
        }
