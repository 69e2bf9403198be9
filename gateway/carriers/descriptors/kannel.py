"""Kannel: texts through your own SMS gateway, which has the connections to SMS centers."""

from collections.abc import Mapping
from typing import Final

from gateway.carriers.descriptors.descriptor import CarrierDescriptor, CarrierSettings, refuse_short
from gateway.channels import SMS
from gateway.setting_types import values as value
from gateway.setting_types.fields import BaseUrl, Networks, Visible, env


class KannelSettings(CarrierSettings):
    """Its sendsms service, and how it calls us."""

    kannel_url: BaseUrl = env("KANNEL_URL", default="")
    kannel_username: Visible = env("KANNEL_USERNAME", default="")
    kannel_password: Visible = env("KANNEL_PASSWORD", default="", repr=False)
    kannel_token: Visible = env("KANNEL_TOKEN", default="", repr=False)
    kannel_from: Networks = env("KANNEL_FROM", default="127.0.0.0/8,::1/128", validate_default=True)
    kannel_callbacks: BaseUrl | None = env("KANNEL_CALLBACKS", default=None)


def _hosts(settings: KannelSettings) -> Mapping[str, str]:
    return {"KANNEL_URL": value.host_of(settings.kannel_url)}


def _refuse(settings: KannelSettings) -> None:
    if settings.mode == "live":
        refuse_short("KANNEL_TOKEN", [settings.kannel_token])


KANNEL: Final = CarrierDescriptor(
    name="kannel",
    channel=SMS,
    settings=KannelSettings,
    needed=("KANNEL_URL", "KANNEL_USERNAME", "KANNEL_PASSWORD", "KANNEL_TOKEN"),
    make="gateway.carriers.kannel.sms:make",
    checks={"kannel": "gateway.carriers.kannel.check:user"},
    report="gateway.carriers.kannel.codes:read_report",
    door="gateway.doors.sms.kannel:blueprint",
    hosts=_hosts,
    refuse=_refuse,
    advice=dict.fromkeys(
        ("401", "403", "404", "405"),
        "look at KANNEL_URL, KANNEL_USERNAME and KANNEL_PASSWORD, and at user-allow-ip in its configuration",
    ),
)
