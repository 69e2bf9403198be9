"""The carrier that docs/extending.md writes: mails out into a folder, one file each. One file, registered with one line
in tests/carriers/test_toy_carrier."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from gateway.carriers.common.protocol import OutboundEmail, Outcome
from gateway.carriers.common.send_gate import OPEN, Gate, may_leave
from gateway.carriers.descriptors.descriptor import CarrierDescriptor, CarrierSettings
from gateway.channels import EMAIL
from gateway.errors import Refused
from gateway.setting_types.fields import env


class MailFolderSettings(CarrierSettings):
    mail_folder: Path | None = env("CRITTER_MAIL_FOLDER", default=None)


class MailFolder:
    """Whole and durable, or not at all: what has no ending .eml yet is nobody's."""

    channel = EMAIL

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def send(
        self, batch: Sequence[OutboundEmail], settled: Callable[[OutboundEmail, Outcome], None], gate: Gate = OPEN
    ) -> None:
        for email in batch:
            if await may_leave(gate, email):
                settled(email, await asyncio.to_thread(self._write, email))

    def _write(self, email: OutboundEmail) -> Outcome:
        envelope = f"Return-Path: <{email.envelope_from}>\r\nDelivered-To: {email.recipient}\r\n"
        part = self._folder / f"{email.attempt}.part"
        try:
            with part.open("wb") as file:
                file.write(envelope.encode() + email.content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(part.with_suffix(".eml"))
        except OSError as error:
            return Outcome("retry", reason="disk", detail=type(error).__name__)
        return Outcome("sent", carrier_id=str(email.attempt))

    async def close(self) -> None:
        """There is nothing to let go of."""


def make(settings: MailFolderSettings) -> MailFolder:
    assert settings.mail_folder
    return MailFolder(settings.mail_folder)


def check(settings: MailFolderSettings) -> str:
    assert settings.mail_folder
    if not os.access(settings.mail_folder, os.W_OK):
        raise Refused(f"CRITTER_MAIL_FOLDER: {settings.mail_folder} cannot be written to")
    return f"mails go into {settings.mail_folder}"


MAIL_FOLDER: Final = CarrierDescriptor(
    name="folder",
    channel=EMAIL,
    settings=MailFolderSettings,
    needed=("CRITTER_MAIL_FOLDER",),
    make="tests.support.mail_folder:make",
    checks={"mail folder": "tests.support.mail_folder:check"},
)
