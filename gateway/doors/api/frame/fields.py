"""The kinds of values that go in and out: ids are strings of digits, times have three digits and a Z."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from gateway.typed_input import strip_invisible

LARGEST_ID: Final = 2**63 - 1
LISTS: Final = {list, tuple}


def _read_id(given: Any) -> Any:
    """Digits alone: Python would also read 1_000 or ٣."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) <= 19:
        return int(given)
    raise ValueError("is no id")


def moment(at: datetime) -> str:
    """2026-11-30T12:34:56.789Z; some clients cannot read it without the three digits."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


ID_SCHEMA: Final = {"type": "string", "pattern": "^[0-9]{1,19}$", "examples": ["114823456789012345"]}
Id = Annotated[
    int,
    BeforeValidator(_read_id),
    Field(ge=0, le=LARGEST_ID),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(ID_SCHEMA),
]
Line = Annotated[str, AfterValidator(strip_invisible)]  # what somebody typed, without what cannot be seen
Moment = Annotated[
    datetime,
    PlainSerializer(moment, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-30T12:34:56.789Z"]}),
]


class Entity(BaseModel):
    """What is answered. It is checked as it is made, so an answer that breaks its own schema never leaves."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Empty(Entity):
    """There is nothing to say, only that it went well."""


class Parameters(BaseModel):
    """What is given. Clients give more than we ask for, a single value where a list is meant, numbered parts
    (`x[0][name]`), and an empty string where they mean nothing."""

    model_config = ConfigDict(extra="ignore", frozen=True, arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _as_clients_write(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        found = dict(given)
        for name, field in cls.model_fields.items():
            key = field.alias or name
            if key in found:
                kinds = _kinds(field.annotation)
                found[key] = _list_of(found[key]) if kinds & LISTS else found[key]
                if found[key] is None or (found[key] == "" and str not in kinds):
                    del found[key]
        return found


def _list_of(value: Any) -> Any:
    if isinstance(value, dict) and all(each.isdecimal() for each in value):
        return [value[each] for each in sorted(value, key=int)]
    return value if isinstance(value, (list, tuple)) or value is None else [value]


def _kinds(annotation: Any) -> set[Any]:
    """The classes that a field may have: of `list[str] | None` list and NoneType."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return {kind for each in get_args(annotation) for kind in _kinds(each)}
    return {origin or annotation}
