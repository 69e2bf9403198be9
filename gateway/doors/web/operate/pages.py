"""The pages of operators; importing them declares them."""

from typing import Final

from gateway.doors.web.operate import (
    audit,
    check,
    consent,
    costs,
    deliveries,
    explain,
    flow,
    held,
    numbers,
    people,
    people_add,
    people_data,
    people_import,
    reports,
    settings,
    trace,
    undelivered,
)

OPERATE: Final = (
    flow,
    deliveries,
    trace,
    undelivered,
    held,
    reports,
    numbers,
    consent,
    costs,
    people,
    people_add,
    people_data,
    people_import,
    audit,
    settings,
    check,
    explain,
)
