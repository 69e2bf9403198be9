"""Everything that is kept about one person, as a file: for themselves in the settings, for an admin on their page."""

import io
import zipfile
from typing import Final

from flask import Response

from gateway.doors.web.visits.visit import Visit
from gateway.files import media_folder
from gateway.ledger.audit import audit_log
from gateway.network.people import export
from gateway.store.database import transaction
from gateway.store.tables import Account

LARGEST: Final = 200 << 20  # octets of pictures in one file


def send(visit: Visit, person: Account) -> Response:
    """In a transaction of its own, which sees one moment and writes nothing; that it was done is written down first."""
    with transaction(visit.web.engine) as session:
        audit_log.record(session, f"@{visit.account.handle}", "people.export", person.id)
    with transaction(visit.web.engine) as session:
        sections = export.everything(session, person)
    pictures = export.pictures(visit.session, person)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("data.json", export.as_json(sections))
        file.writestr("read-me.txt", export.as_text(person.handle, sections))
        _add_pictures(visit, file, pictures)
    answer = Response(packed.getvalue(), content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{person.handle}.zip"'
    return answer


def _add_pictures(visit: Visit, file: zipfile.ZipFile, digests: export.Digests) -> None:
    """As many as fit; `critter export` has all of them."""
    left = LARGEST
    for digest in digests:
        place = media_folder.place(visit.settings.var, digest)
        size = place.stat().st_size if place.is_file() else left + 1
        if size <= left:
            file.write(place, f"pictures/{place.name}")
            left -= size
