"""Web Push: to browsers and apps, through the push service that each of them names (RFC 8030)."""

from typing import Annotated, Final

from pydantic import BeforeValidator

from gateway.carriers.descriptors.descriptor import CarrierDescriptor, CarrierSettings
from gateway.channels import PUSH
from gateway.setting_types import values as value
from gateway.setting_types.fields import env


class WebPushSettings(CarrierSettings):
    """The key by which push services know us, and hosts of our own network that are push services."""

    push_key: Annotated[str, BeforeValidator(value.push_key)] = env("CRITTER_PUSH_KEY", default="", repr=False)
    push_hosts: Annotated[tuple[str, ...], BeforeValidator(value.host_names)] = env("CRITTER_PUSH_HOSTS", default=())


WEB_PUSH: Final = CarrierDescriptor(
    name="webpush",
    channel=PUSH,
    settings=WebPushSettings,
    needed=("CRITTER_PUSH_KEY",),
    make="gateway.carriers.webpush.sender:make",
    checks={"push": "gateway.carriers.webpush.check:keys"},
)
