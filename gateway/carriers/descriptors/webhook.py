"""The web hook: texts through a small web service of your own, by signed requests in both directions."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BeforeValidator

from gateway.carriers.descriptors.descriptor import CarrierDescriptor, CarrierSettings, refuse_short
from gateway.channels import SMS
from gateway.errors import SettingsError
from gateway.setting_types import values as value
from gateway.setting_types.fields import BaseUrl, env


class WebhookSettings(CarrierSettings):
    """Where the service is, and the secrets that sign."""

    hook_url: BaseUrl = env("CRITTER_HOOK_URL", default="")
    hook_secrets: Annotated[tuple[str, ...], BeforeValidator(value.hook_secrets)] = env(
        "CRITTER_HOOK_SECRET", default=(), repr=False
    )


def _hosts(settings: WebhookSettings) -> Mapping[str, str]:
    return {"CRITTER_HOOK_URL": value.host_of(settings.hook_url)}


def _refuse(settings: WebhookSettings) -> None:
    if settings.mode != "live":
        return
    refuse_short("CRITTER_HOOK_SECRET", settings.hook_secrets)
    if settings.hook_url and not settings.hook_url.startswith("https:"):
        raise SettingsError("CRITTER_HOOK_URL: must begin with https: texts and numbers would travel open")


HOOK: Final = CarrierDescriptor(
    name="hook",
    channel=SMS,
    settings=WebhookSettings,
    needed=("CRITTER_HOOK_URL", "CRITTER_HOOK_SECRET"),
    make="gateway.carriers.webhook.sms:make",
    checks={"hook": "gateway.carriers.webhook.check:listens"},
    report="gateway.carriers.webhook.codes:read_report",
    door="gateway.doors.sms.webhook:blueprint",
    hosts=_hosts,
    refuse=_refuse,
    advice=dict.fromkeys(
        ("401", "403", "404", "405"),
        "look at CRITTER_HOOK_URL and CRITTER_HOOK_SECRET, and at the log of whoever answers there",
    ),
)
