"""The switches that make the carriers fail on purpose: PUT /faults sets them, every part asks before it acts."""

import random
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

# Parameters of each fault with their defaults; the type of the default is the type of the parameter.
_REST: dict[str, Any] = {"on": "create"}
FAULTS: dict[str, dict[str, Any]] = {
    "delay": {**_REST, "seconds": 1.0, "after": False},
    "429": {**_REST, "retry_after": 1, "above": 0},
    "500": {**_REST, "accepted": False},
    "503": {**_REST, "accepted": False},
    "refuse": {**_REST, "code": 21614},
    "cut-before": _REST,
    "accept-then-cut": _REST,
    "half-body": _REST,
    "garbage": {**_REST, "accepted": True, "text": "<html>Bad gateway</html>"},
    "webhook-drop": {},
    "webhook-repeat": {"n": 1, "together": False},
    "webhook-delay": {"seconds": 1.0},
    "callback-drop": {"status": ""},
    "callback-double": {},
    "callback-reverse": {},
    "status-failed": {"code": 30003, "status": "undelivered"},
    "smtp-4xx": {"at": "rcpt", "code": 451, "text": "4.3.0 Try again later"},
    "smtp-5xx": {"at": "rcpt", "code": 550, "text": "5.1.1 No such mailbox"},
    "smtp-cut-before-dot": {},
    "smtp-cut-after-dot": {},
    "smtp-delay": {"seconds": 1.0},
    "push-status": {"code": 410, "retry_after": 0},
    "push-delay": {"seconds": 1.0},
}
REST_FAULTS = ("delay", "429", "500", "503", "refuse", "cut-before", "accept-then-cut", "half-body", "garbage")
CHOICES: dict[str, tuple[str, ...]] = {
    "on": ("create", "list", "fetch", "any"),
    "at": ("mail", "rcpt", "dot"),
}
STATUSES = {
    "status-failed": ("undelivered", "failed"),
    "callback-drop": ("", "sent", "delivered", "undelivered", "failed"),
}


class BadFault(ValueError):
    """Says in one line what is wrong with a switch."""


@dataclass(slots=True)
class Fault:
    """One switch: it strikes always, or a share of the time, or every n-th time; at most `times`; `who` is a glob."""

    name: str
    params: dict[str, Any]
    who: str | None = None
    share: float | None = None
    every: int | None = None
    times: int | None = None
    seen: int = 0
    hits: int = 0
    second: tuple[int, int] = (0, 0)  # the current second, and its number of calls so far

    def matches(self, who: tuple[str, ...]) -> bool:
        return self.who is None or any(fnmatchcase(one.lower(), self.who.lower()) for one in who)

    def strikes(self, dice: random.Random) -> bool:
        if self.times is not None and self.hits >= self.times:
            return False
        if self.params.get("above") and not self._too_fast(int(time.time())):
            return False
        self.seen += 1
        hit = self.seen % self.every == 0 if self.every else self.share is None or dice.random() < self.share
        self.hits += hit
        return hit

    def _too_fast(self, now: int) -> bool:
        second, calls = self.second
        self.second = (now, calls + 1 if second == now else 1)
        return self.second[1] > int(self.params["above"])

    def json(self) -> dict[str, Any]:
        often = {"share": self.share, "every": self.every, "times": self.times, "for": self.who}
        return {"fault": self.name, **often, **self.params, "seen": self.seen, "hits": self.hits}


@dataclass(slots=True)
class Faults:
    """The switches that are on. The random generator is seeded anew with every change, so that a run can be
    repeated."""

    seed: int = 1
    on: dict[str, list[Fault]] = field(default_factory=dict)
    _dice: random.Random = field(default_factory=random.Random, repr=False)

    def set(self, wanted: Any) -> None:
        """Replaces all switches by this list of JSON objects; after BadFault the old ones stay."""
        if not isinstance(wanted, list):
            raise BadFault("faults are a JSON list of objects")
        on: dict[str, list[Fault]] = {}
        for fault in map(parse, wanted):
            on.setdefault(fault.name, []).append(fault)
        self.on, self._dice = on, random.Random(self.seed)  # noqa: S311 (dice, not secrets)

    def list(self) -> list[dict[str, Any]]:
        return [fault.json() for faults in self.on.values() for fault in faults]

    def strike(self, name: str, *who: str, **where: str) -> Fault | None:
        """The first switch of that name that is meant for one of these numbers or addresses and strikes now.

        `where` must equal the switch's own parameters, such as at="rcpt".
        """
        for fault in self.on.get(name, ()):
            here = all(fault.params[key] == value for key, value in where.items())
            if here and fault.matches(who) and fault.strikes(self._dice):
                return fault
        return None

    def strike_rest(self, call: str, *who: str) -> Fault | None:
        """The first switch that strikes this call of the REST API (create, list, fetch)."""
        for name in REST_FAULTS if self.on else ():
            for fault in self.on.get(name, ()):
                if fault.params["on"] in (call, "any") and fault.matches(who) and fault.strikes(self._dice):
                    return fault
        return None


def parse(wanted: Any) -> Fault:
    """One switch from its JSON: {"fault": NAME, "share": 0..1 or "every": n, "times": n, "for": glob, …parameters}."""
    if not isinstance(wanted, dict) or wanted.get("fault") not in FAULTS:
        raise BadFault(f"'fault' must be one of: {', '.join(FAULTS)}")
    name = wanted["fault"]
    given = {key: value for key, value in wanted.items() if key not in ("fault", "seen", "hits") and value is not None}
    if "share" in given and "every" in given:
        raise BadFault(f"{name}: give 'share' or 'every', not both")
    fault = Fault(
        name,
        dict(FAULTS[name]),
        who=_read(name, "for", given.pop("for", None), str),
        share=_share(name, given.pop("share", None)),
        every=_positive(name, "every", given.pop("every", None)),
        times=_positive(name, "times", given.pop("times", None)),
    )
    for key, value in given.items():
        fault.params[key] = _param(name, key, value)
    return fault


def _param(name: str, key: str, value: Any) -> Any:
    if key not in FAULTS[name]:
        known = ", ".join(FAULTS[name]) or "none"
        raise BadFault(f"{name} has no parameter {key!r}; it has: {known}")
    default = FAULTS[name][key]
    read = _read(name, key, float(value) if isinstance(default, float) and type(value) is int else value, type(default))
    choices = STATUSES.get(name) if key == "status" else CHOICES.get(key)
    if choices is not None and read not in choices:
        raise BadFault(f"{name}: {key!r} must be one of: {', '.join(choices)}")
    _in_range(name, key, read)
    return read


def _in_range(name: str, key: str, value: Any) -> None:
    if isinstance(value, (int, float)) and value < 0:
        raise BadFault(f"{name}: {key!r} must not be negative")
    if name.startswith("smtp-") and key == "code" and value // 100 != int(name[5]):
        raise BadFault(f"{name}: 'code' must be between {name[5]}00 and {name[5]}99")
    if name.startswith("smtp-") and key == "text" and not (value.isascii() and value.isprintable()):
        raise BadFault(f"{name}: 'text' must be one line of ASCII")


def _read(name: str, key: str, value: Any, kind: type) -> Any:
    if value is not None and type(value) is not kind:
        raise BadFault(f"{name}: {key!r} must be {'a number' if kind is float else 'of type ' + kind.__name__}")
    return value


def _share(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise BadFault(f"{name}: 'share' must be a number from 0 to 1")
    return float(value)


def _positive(name: str, key: str, value: Any) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise BadFault(f"{name}: {key!r} must be a whole number from 1")
    return value
