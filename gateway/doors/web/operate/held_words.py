"""Which words of a held input an operator may see on a page: what was written to all, or to whoever runs this. What is
private, or may be, stays hidden here."""

from typing import Final

from gateway.channels import EMAIL, SMS
from gateway.doors.web.visits.visit import Visit
from gateway.errors import Refused
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.network.audience.visibility import OPEN_TO_ALL
from gateway.network.people import accounts
from gateway.store.tables import Inbound

FOR_US: Final = ("postmaster", "abuse")
PUBLIC: Final = ("update", "group")  # readings that all may hear of


def shown(visit: Visit, row: Inbound) -> str | None:
    """None when they may be private: written to a person or a closed group, an answer to something, a command, or
    words that read like a private message."""
    words = _written(row)
    if not words or not all(_is_public(visit, each) for each in row.recipients):
        return None
    if row.recipients and all(_local(each) in FOR_US for each in row.recipients):
        return words
    return words if _reads_public(visit, words) else None


def _written(row: Inbound) -> str:
    if row.channel != EMAIL:
        return row.text or ""
    if not row.raw:
        return ""
    try:
        return ReceivedMail(row.raw).words.text
    except Refused:  # too many parts, or none that is text
        return ""


def _local(address: str) -> str:
    return address.partition("@")[0].lower()


def _is_public(visit: Visit, address: str) -> bool:
    """Whether one of our addresses is that of everyone, of an open group, or of the operators; an address with a token
    answers something, and may be private."""
    if "@" not in address or _local(address) in ("post", *FOR_US):
        return True
    group = accounts.by_handle(visit.session, _local(address))
    return group is not None and group.kind == "group" and group.access in OPEN_TO_ALL


def _reads_public(visit: Visit, words: str) -> bool:
    tools = visit.web.tools
    if tools is None:
        return False
    found = tools.explain(visit.web.engine, words, SMS, visit.account.handle)
    if found.intent not in PUBLIC or found.privacy == "direct":
        return False
    named = [accounts.by_handle(visit.session, name) for name in found.args]
    return not any(each is not None and each.kind == "group" and each.access not in OPEN_TO_ALL for each in named)
