"""Your data: the secret mail address, and everything that is kept about oneself as a file."""

import io
import zipfile
from typing import Final

from flask import Response

from gateway.channels import EMAIL
from gateway.doors.web.settings import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.files import media_folder
from gateway.i18n.refusals import refusal
from gateway.ledger.audit import audit_log
from gateway.network.mail import secret_addresses
from gateway.network.people import addresses, export
from gateway.network.web import operator_names
from gateway.store.database import transaction

LARGEST: Final = 200 << 20  # octets of pictures in one file


@ROUTER.page("/settings/data")
def data(visit: Visit) -> str:
    return _page(visit, "")


def _page(visit: Visit, secret: str) -> str:
    mine = addresses.of_account(visit.session, visit.account.id)
    return render(
        visit,
        "settings/data.html",
        secret=secret,
        has_mailbox=any(each.channel == EMAIL and each.state == "verified" for each in mine),
        operators=operator_names.find(visit.session),
    )


@ROUTER.post("/settings/data/secret")
def show_secret(visit: Visit) -> str:
    """It is shown only when it is asked for, by a POST, and never kept in the history of a browser."""
    return _page(visit, _secret(visit, new=False))


@ROUTER.post("/settings/data/new-secret")
def new_secret(visit: Visit) -> str:
    return _page(visit, _secret(visit, new=True))


def _secret(visit: Visit, new: bool) -> str:
    if not visit.settings.mail:
        raise refusal("channel_off")
    make = secret_addresses.rotate if new else secret_addresses.secret
    word = make(visit.session, visit.web.signer, visit.account.id)
    handle = visit.account.handle
    audit_log.record(visit.session, f"@{handle}", "people.secret", visit.account.id, {"rotated": new})
    return f"post+{word}@{visit.settings.mail_domain}"


@ROUTER.post("/settings/data/export")
def download(visit: Visit) -> Response:
    """In a transaction of its own, which sees one moment and writes nothing; that it was done is written down first."""
    person = visit.account
    with transaction(visit.web.engine) as session:
        audit_log.record(session, f"@{person.handle}", "people.export", person.id)
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
    """As many as fit; an operator's `critter export` has all of them."""
    left = LARGEST
    for digest in digests:
        place = media_folder.place(visit.settings.var, digest)
        size = place.stat().st_size if place.is_file() else left + 1
        if size <= left:
            file.write(place, f"pictures/{place.name}")
            left -= size
