"""The kinds of settings, as fields of a model: gateway/settings and the carriers' descriptors declare theirs with
them."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from gateway.setting_types import values as value

Switch = Annotated[bool, BeforeValidator(value.switch)]
Words = Annotated[tuple[str, ...], BeforeValidator(value.comma_list)]
Listen = Annotated[tuple[str, int], BeforeValidator(value.listen)]
BaseUrl = Annotated[str, BeforeValidator(value.base_url)]
Visible = Annotated[str, BeforeValidator(value.visible)]
Networks = Annotated[tuple[value.Network, ...], BeforeValidator(value.networks)]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Parts = Annotated[int, Field(ge=0, le=1_000_000_000)]


def env(name: str, **rules: Any) -> Any:
    """A field that the setting `name` fills."""
    return Field(alias=name, **rules)
