"""Every room of pages; importing them declares their pages. critter/processes/app registers them."""

from typing import Final

from gateway.doors.web import operate, people, reading, settings, sign_in, writing
from gateway.doors.web.reading import home, private, to_you, updates
from gateway.doors.web.settings import digest_card, pause, quiet, reach, ways
from gateway.doors.web.shell.room import Room
from gateway.doors.web.sign_in import code, first_start, sessions
from gateway.doors.web.writing import updates as written
from gateway.doors.web.writing import write

PAGES: Final = (
    home, private, to_you, updates, code, first_start, sessions, written, write,
    reach, ways, pause, quiet, digest_card,
)  # fmt: skip
ROOMS: Final[tuple[Room, ...]] = (
    reading.ROOM,
    writing.ROOM,
    people.ROOM,
    settings.ROOM,
    operate.ROOM,
    sign_in.ROOM,
)
