"""The routers of all pages; importing the views declares their pages. critter/processes/app registers them."""

from typing import Final

from gateway.doors.web import apps as app_pages
from gateway.doors.web import install, operate, people, reading, settings, sign_in, writing
from gateway.doors.web.apps import authorize
from gateway.doors.web.install import offline
from gateway.doors.web.operate.pages import OPERATE
from gateway.doors.web.people import (
    directory,
    follows,
    group_page,
    group_words,
    members,
    menu,
    new_group,
    profile,
    reports,
    search,
    status,
    why,
)
from gateway.doors.web.reading import home, private, reach_card, to_you, updates
from gateway.doors.web.settings import (
    apps,
    blocked,
    data,
    digest_card,
    passkeys,
    pause,
    phones,
    pin,
    push,
    quiet,
    reach,
    signed_in,
    ways,
    you,
)
from gateway.doors.web.shell.router import PageRouter
from gateway.doors.web.sign_in import code, company, first_start, login_link, passkey, sessions
from gateway.doors.web.writing import reach as reached
from gateway.doors.web.writing import updates as written
from gateway.doors.web.writing import write

PEOPLE: Final = (
    directory, follows, group_page, group_words, members, menu, new_group, profile, reports, search, status, why,
)  # fmt: skip
SETTINGS: Final = (
    reach, ways, push, pause, quiet, digest_card, phones, pin, passkeys, you, blocked, signed_in, apps, data,
)  # fmt: skip
PAGES: Final = (
    offline, home, private, reach_card, to_you, updates, code, first_start, sessions, passkey, company, login_link,
    written, reached, write, authorize, *PEOPLE, *SETTINGS, *OPERATE,
)  # fmt: skip
ROUTERS: Final[tuple[PageRouter, ...]] = (
    reading.ROUTER,
    writing.ROUTER,
    people.ROUTER,
    settings.ROUTER,
    operate.ROUTER,
    sign_in.ROUTER,
    app_pages.ROUTER,
    install.ROUTER,
)
