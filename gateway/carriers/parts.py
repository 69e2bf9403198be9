"""The parts of a carrier that its descriptor names, loaded when a process needs them.

critter/processes builds carriers and doors with it, workers/callbacks reads status callbacks, critter/doctor checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gateway.carriers.common.delivery_report import DeliveryReport
from gateway.carriers.common.protocol import Carrier, OutboundEmail, OutboundPush, Text
from gateway.carriers.descriptors.descriptor import CarrierDescriptor, Part
from gateway.carriers.descriptors.registry import CARRIERS
from gateway.carriers.twilio.inbound_list import TwilioInbox
from gateway.channels import PUSH
from gateway.ledger.commit.group_commit import CommitQueue
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox.callbacks import STEPS, CallbackCall
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings

if TYPE_CHECKING:
    from flask import Blueprint

Check = Callable[[Settings], str]  # returns what is fine; raises Refused with what to do


@lru_cache(maxsize=64)
def load(part: Part) -> Callable[..., Any]:
    """The function at this path."""
    module, _, name = part.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def make_texts(settings: Settings) -> dict[str, Carrier[Text]]:
    """Builds each carrier that our numbers name once; the result belongs to one process."""
    return {name: load(CARRIERS[name].make)(settings) for name in settings.sms_carriers}


def make_mails(settings: Settings) -> Carrier[OutboundEmail]:
    """Builds the carrier that all mails leave by."""
    carrier: Carrier[OutboundEmail] = load(settings.mail_carrier.make)(settings)
    return carrier


def make_pushes(settings: Settings) -> Carrier[OutboundPush]:
    carrier: Carrier[OutboundPush] = load(settings.carriers_for(PUSH)[0].make)(settings)
    return carrier


def make_inbox(settings: Settings) -> TwilioInbox | None:
    """The list of the texts to us, of the first carrier of ours that has one."""
    paths = (CARRIERS[name].inbox for name in settings.sms_carriers)
    return next((load(path)(settings) for path in paths if path), None)


def open_door(
    carrier: CarrierDescriptor,
    settings: Settings,
    signer: Signer,
    intake: CommitQueue[Incoming],
    callbacks: CommitQueue[CallbackCall],
) -> Blueprint | None:
    """The door through which the carrier calls us; None when it never does."""
    return load(carrier.door)(settings, signer, intake, callbacks) if carrier.door else None


def open_hooks(
    carrier: CarrierDescriptor,
    settings: Settings,
    signer: Signer,
    intake: CommitQueue[Incoming],
    callbacks: CommitQueue[CallbackCall],
) -> Any:
    """What reads the carrier's usual calls before Flask does; None for a carrier that has nothing like it."""
    return load(carrier.hooks)(settings, signer, intake, callbacks) if carrier.hooks else None


def read_report(name: str, status: str, reason: str | None) -> DeliveryReport | None:
    """What a status means, by the table of its own carrier; None for a status or a carrier that nobody knows."""
    carrier = CARRIERS.get(name)
    report: DeliveryReport | None = load(carrier.report)(status, reason) if carrier and carrier.report else None
    return report


def usual_step(call: CallbackCall) -> str | None:
    """The step of a callback that says nothing else: the text went that far. None for any other."""
    return _usual_step(call.carrier, call.status) if call.reason is None else None


@lru_cache(maxsize=256)
def _usual_step(name: str, status: str) -> str | None:
    report = read_report(name, status, None)
    if report is None or report.reason or report.action != "none" or report.strikes:
        return None
    return report.step if report.step in STEPS else None


def list_checks(carrier: CarrierDescriptor) -> Iterator[tuple[str, Check]]:
    """What `critter check` looks at: the title of each line, and the check."""
    for title, part in carrier.checks.items():
        yield title, load(part)
