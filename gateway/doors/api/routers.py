"""Every router of the API; importing the modules declares their endpoints. critter/processes/app registers them."""

from typing import Final

from gateway.doors.api import clients
from gateway.doors.api.clients import apps, metadata, registration, tokens
from gateway.doors.api.frame.router import ApiRouter

ENDPOINTS: Final = (apps, metadata, registration, tokens)
ROUTERS: Final[tuple[ApiRouter, ...]] = (clients.ROUTER,)
