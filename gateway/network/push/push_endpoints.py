"""Which addresses of push services a device may give us. The server posts there, so it may lead to nothing inside our
own network but what the settings name; carriers/webpush looks again at what the name leads to when it connects."""

from typing import Final
from urllib.parse import SplitResult, urlsplit

from gateway.i18n.refusals import refusal
from gateway.network.push.push_subscriptions import PushKeys
from gateway.security import push_keys
from gateway.security.public_addresses import is_public
from gateway.setting_types.values import stays_here
from gateway.settings import Settings

LONGEST: Final = 1000  # characters; those of browsers have about 200


def check(settings: Settings, keys: PushKeys) -> None:
    """Raises Refused for a subscription to which we may not, or cannot, send."""
    if not is_allowed(settings, keys.endpoint):
        raise refusal("push_service_elsewhere" if settings.mode == "simulated" else "push_service_refused")
    if not push_keys.fit_a_device(keys.p256dh, keys.auth):
        raise refusal("push_keys_wrong")


def is_allowed(settings: Settings, endpoint: str) -> bool:
    """Simulated, this machine alone. Live, over TLS alone: a public address, or a host of CRITTER_PUSH_HOSTS."""
    where = _parts(endpoint)
    if where is None or where.hostname is None or where.username is not None or where.fragment:
        return False
    if settings.mode == "simulated":
        return where.scheme in ("http", "https") and stays_here(where.hostname)
    return where.scheme == "https" and (trusts(settings, where.hostname) or _may_be_public(where.hostname))


def trusts(settings: Settings, host: str) -> bool:
    """Whether the settings allow this host whatever its address is."""
    return host in settings.push_hosts or (settings.mode == "simulated" and stays_here(host))


def _may_be_public(host: str) -> bool:
    """A name is looked up when we connect; an address is looked at here."""
    try:
        return is_public(host)
    except ValueError:
        return "." in host


def _parts(endpoint: str) -> SplitResult | None:
    if len(endpoint) > LONGEST or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        return None
    try:
        found = urlsplit(endpoint)
        return found if found.port != 0 else None
    except ValueError:
        return None
