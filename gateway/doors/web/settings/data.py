"""Your data: the secret mail address, and everything that is kept about oneself as a file."""

from flask import Response

from gateway.channels import EMAIL
from gateway.doors.web.settings import ROUTER
from gateway.doors.web.shell import personal_export
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.refusals import refusal
from gateway.ledger.audit import audit_log
from gateway.network.mail import secret_addresses
from gateway.network.people import addresses
from gateway.network.web import operator_names


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
    return personal_export.send(visit, visit.account)
