"""Every router of the API; importing the modules declares their endpoints. critter/processes/app registers them."""

from typing import Final

from gateway.doors.api import accounts, clients, instance
from gateway.doors.api import lists as own_lists
from gateway.doors.api import media as files_of_updates
from gateway.doors.api import notifications as to_somebody
from gateway.doors.api import search as looking
from gateway.doors.api import statuses as updates
from gateway.doors.api import timelines as lists_of_updates
from gateway.doors.api.accounts import credentials, deciding, markers, people, relationships, tags
from gateway.doors.api.clients import apps, metadata, registration, tokens
from gateway.doors.api.frame.router import ApiRouter
from gateway.doors.api.instance import instance as descriptions
from gateway.doors.api.instance import nodeinfo, nothing
from gateway.doors.api.lists import lists
from gateway.doors.api.media import files, uploads
from gateway.doors.api.notifications import conversations, notifications
from gateway.doors.api.search import search
from gateway.doors.api.statuses import marking, reading, writing
from gateway.doors.api.timelines import by_account, own_marks, timelines

ENDPOINTS: Final = (
    apps, metadata, registration, tokens, credentials, deciding, markers, people, relationships, tags, marking, reading,
    writing, by_account, own_marks, timelines, lists, conversations, notifications, search, uploads, files,
    descriptions, nodeinfo, nothing,
)  # fmt: skip
ROUTERS: Final[tuple[ApiRouter, ...]] = (
    clients.ROUTER, accounts.ROUTER, updates.ROUTER, lists_of_updates.ROUTER, own_lists.ROUTER, to_somebody.ROUTER,
    looking.ROUTER, files_of_updates.ROUTER, instance.ROUTER,
)  # fmt: skip
