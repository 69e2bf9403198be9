"""What a carrier is to the rest of Critter: its settings, its parts, and what is known about it.

A descriptor is data, and importing it is cheap: its parts are named by their paths, as the drains of gateway/queue/jobs
are, and gateway/carriers/parts loads them when a process needs them. So settings, which stand below all carriers, and
the command line, which needs no carrier, read it too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gateway.errors import SettingsError
from gateway.setting_types.fields import Switch, env
from gateway.setting_types.values import SHORTEST_SECRET

Part = str  # "package.module:name" of a function


class CarrierSettings(BaseModel):
    """The settings of one carrier, with the three that its rules may ask for. Settings has the fields of all carriers,
    so no two have a field of the same name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["simulated", "live"] = env("CRITTER_MODE")
    sms: Switch = env("CRITTER_SMS")
    mail: Switch = env("CRITTER_MAIL")


def _nowhere(_settings: Any) -> Mapping[str, str]:
    return {}


def _refuses_nothing(_settings: Any) -> None:
    """Every value that the fields take is fine."""


@dataclass(frozen=True, slots=True)
class CarrierDescriptor:
    """One carrier. Functions get all settings, of every carrier.

    `name`: as NUMBER@NAME has it. `needed`: the settings that it cannot do without. `hosts`: setting → the host that it
    leads to; simulated mode lets nothing leave the machine. `refuse` raises SettingsError for values that do not fit
    together, or that live mode does not allow. `defaults`: settings that follow from those given.

    `make`: (settings) → the carrier. `checks`: for `critter check`, title → a function (settings) → what is fine, which
    raises Refused with what to do. `report`: (status, reason) as its door recorded them → DeliveryReport, None for an
    unknown status. `door`: (settings, signer, intake, callbacks) → the blueprint through which it calls us; `hooks`: of
    the same → what reads its usual calls before Flask. `inbox`: (settings) → its list of texts to us.

    `advice`: the code by which it refuses us → what an operator does. `answers_opt_out`: it answers STOP and HELP
    itself. `calls_fallback`: it calls a second address when the first does not answer.
    """

    name: str
    channel: str
    settings: type[CarrierSettings]
    needed: tuple[str, ...]
    make: Part
    checks: Mapping[str, Part]
    report: Part | None = None
    door: Part | None = None
    hooks: Part | None = None
    inbox: Part | None = None
    hosts: Callable[[Any], Mapping[str, str]] = _nowhere
    refuse: Callable[[Any], None] = _refuses_nothing
    defaults: Callable[[Mapping[str, str]], Mapping[str, str]] = _nowhere
    advice: Mapping[str, str] = field(default_factory=dict)
    answers_opt_out: bool = False
    calls_fallback: bool = False


def refuse_short(name: str, secrets: Sequence[str]) -> None:
    """Raises SettingsError for a secret that could be guessed."""
    if any(0 < len(secret) < SHORTEST_SECRET for secret in secrets):
        raise SettingsError(f"{name}: needs {SHORTEST_SECRET} characters or more, such as CRITTER_SECRET_KEY has")
