"""Encrypts a payload for one device, by RFC 8291, or by its drafts for clients that still speak those."""

from collections.abc import Mapping
from typing import Final

from pywebpush import WebPusher

from gateway.network.push.push_subscriptions import PushKeys

LARGEST: Final = 3_000  # octets of a payload: with what encryption adds, push services must take 4,096
_CODINGS: Final = {"standard": "aes128gcm", "legacy": "aesgcm"}


def encrypt(payload: bytes, keys: PushKeys) -> tuple[Mapping[str, str], bytes]:
    """The headers that say how, and the body. Only the device can read it; its push service cannot."""
    coding = _CODINGS[keys.encoding]
    device = WebPusher({"endpoint": keys.endpoint, "keys": {"p256dh": keys.p256dh, "auth": keys.auth}})
    sealed = device.encode(payload, coding)
    headers = {"Content-Encoding": coding, "Content-Type": "application/octet-stream"}
    if coding == "aesgcm":  # the newer coding has both in its body
        headers |= {
            "Crypto-Key": f"dh={sealed['crypto_key'].decode()}",
            "Encryption": f"salt={sealed['salt'].decode()}",
        }
    return headers, sealed["body"]
