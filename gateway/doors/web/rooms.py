"""Every room of pages; importing them declares their pages. critter/processes/app registers them."""

from typing import Final

from gateway.doors.web import install, operate, people, reading, settings, sign_in, writing
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
from gateway.doors.web.reading import home, private, to_you, updates
from gateway.doors.web.shell.room import Room
from gateway.doors.web.sign_in import code, first_start, sessions
from gateway.doors.web.writing import updates as written
from gateway.doors.web.writing import write

PEOPLE: Final = (
    directory, follows, group_page, group_words, members, menu, new_group, profile, reports, search, status, why,
)  # fmt: skip
PAGES: Final = (offline, home, private, to_you, updates, code, first_start, sessions, written, write, *PEOPLE, *OPERATE)
ROOMS: Final[tuple[Room, ...]] = (
    reading.ROOM,
    writing.ROOM,
    people.ROOM,
    settings.ROOM,
    operate.ROOM,
    sign_in.ROOM,
    install.ROOM,
)
