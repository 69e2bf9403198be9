"""Every router of the API; importing the modules declares their endpoints. critter/processes/app registers them."""

from typing import Final

from gateway.doors.api import accounts, clients, instance
from gateway.doors.api import lists as list_package
from gateway.doors.api import media as media_package
from gateway.doors.api import notifications as notification_package
from gateway.doors.api import search as search_package
from gateway.doors.api import statuses as status_package
from gateway.doors.api import timelines as timeline_package
from gateway.doors.api.accounts import credentials, markers, people, relationships, requests_and_silences, tags
from gateway.doors.api.clients import apps, metadata, registration, tokens
from gateway.doors.api.frame.router import ApiRouter
from gateway.doors.api.instance import empty_lists, nodeinfo
from gateway.doors.api.instance import instance as descriptions
from gateway.doors.api.lists import lists
from gateway.doors.api.media import files, uploads
from gateway.doors.api.notifications import conversations, notifications
from gateway.doors.api.search import search
from gateway.doors.api.statuses import marking, reading, writing
from gateway.doors.api.timelines import by_account, own_marks, timelines

ENDPOINTS: Final = (
    apps, metadata, registration, tokens, credentials, requests_and_silences, markers, people, relationships, tags,
    marking, reading, writing, by_account, own_marks, timelines, lists, conversations, notifications, search, uploads,
    files, descriptions, nodeinfo, empty_lists,
)  # fmt: skip
ROUTERS: Final[tuple[ApiRouter, ...]] = (
    clients.ROUTER, accounts.ROUTER, status_package.ROUTER, timeline_package.ROUTER, list_package.ROUTER,
    notification_package.ROUTER, search_package.ROUTER, media_package.ROUTER, instance.ROUTER,
)  # fmt: skip
