"""The check of `critter check` for Web Push; it asks no push service."""

from gateway.carriers.webpush.vapid import VapidSigner
from gateway.errors import Refused
from gateway.settings import Settings


def keys(settings: Settings) -> str:
    """Signs as for a push service. Browsers give pushes to pages over TLS alone, and to this machine's own."""
    VapidSigner(settings).sign("https://push.example/")
    if settings.mode == "live" and not settings.public_url.startswith("https:"):
        raise Refused("CRITTER_PUBLIC_URL: must begin with https: browsers take pushes for no other page")
    return "the key signs; devices are added on the page What reaches you"
