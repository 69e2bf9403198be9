"""Fetches the pictures of texts into the media folder, each once by its hash. RQ calls `drain`; the clock rings."""

import hashlib
from pathlib import Path
from typing import Final

import structlog

from gateway.carriers.twilio_media import Fetched, TwilioMedia
from gateway.crashpoints import crash_point
from gateway.errors import CarrierError
from gateway.ledger import pictures
from gateway.store.database import transaction
from gateway.store.tables import Media
from workers.drain import drain as drained
from workers.room import Room

TURN: Final = 20.0  # seconds

log = structlog.get_logger()


def drain() -> None:
    drained("pictures", step, TURN)


def step(here: Room) -> bool:
    """The oldest picture that is due; False when there is none. Its row is locked while it is fetched."""
    with transaction(here.engine) as session:
        found = pictures.due(session, 1)
        for row in found:
            _fetch(here, row)
    return bool(found)


def _fetch(here: Room, row: Media) -> None:
    settings = here.settings
    source = TwilioMedia(settings.twilio_account_sid, settings.twilio_auth_tokens[0], settings.twilio_api_base)
    try:
        fetched = here.loop.run(source.fetch(row.url))
    except CarrierError as error:
        pictures.failed(row, error.reason, again=error.kind == "transient")
        log.warning("picture not fetched", inbound=row.inbound_id, reason=error.reason)
        return
    digest = hashlib.sha256(fetched.content)
    _keep(settings.var / "media", digest.hexdigest(), fetched)
    crash_point("kept")
    pictures.fetched(row, digest.digest(), len(fetched.content), fetched.content_type)


def _keep(folder: Path, name: str, fetched: Fetched) -> None:
    """Whole or not at all: a crash in the middle leaves a .part, never a torn picture."""
    place = folder / name[:2] / name
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = place.with_suffix(".part")
    part.write_bytes(fetched.content)
    crash_point("written")
    part.replace(place)
