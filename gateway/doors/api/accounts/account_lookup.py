"""Whom an address of the API names."""

from urllib.parse import urlsplit

from werkzeug.exceptions import NotFound

from gateway.doors.api.frame.call import ApiCall
from gateway.language.model.reading import NamedAccount
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from gateway.store.tables import Account


def active(call: ApiCall, account_id: int) -> Account:
    """The active person or group of this id; 404 when there is none. That a closed group is there is no secret."""
    found = accounts.by_id(call.session, account_id)
    if found is None or found.state != "active":
        raise NotFound
    return found


def named(call: ApiCall, account_id: int) -> NamedAccount:
    return find_named(active(call, account_id))


def known(call: ApiCall, account_id: int) -> NamedAccount:
    """The same, also of who has left."""
    found = accounts.by_id(call.session, account_id)
    if found is None or found.state == "suspended":
        raise NotFound
    return find_named(found)


def by_address(call: ApiCall, written: str) -> Account | None:
    """The active account of @kim, kim or kim@our.host; None for what is of another server."""
    handle, _, host = written.strip().lstrip("@").partition("@")
    ours = urlsplit(call.settings.public_url)
    if host and host.casefold() not in (ours.netloc.casefold(), (ours.hostname or "").casefold()):
        return None
    return accounts.by_handle(call.session, handle) if handle else None
