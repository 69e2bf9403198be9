"""Ids in addresses: digits alone. Anything else names nothing, so it is 404 as an id that there is not."""

from werkzeug.routing import BaseConverter, ValidationError

from gateway.doors.api.frame.fields import LARGEST_ID


class IdConverter(BaseConverter):
    """`<id:account_id>` in the address of an endpoint."""

    regex = r"[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        if int(value) > LARGEST_ID:
            raise ValidationError
        return int(value)
