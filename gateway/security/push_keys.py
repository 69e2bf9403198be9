"""The keys of Web Push: our own pair, by which push services know who sends (VAPID, RFC 8292), and whether the keys of
a device are what RFC 8291 asks for. All are on the curve P-256; all texts are base64url without padding."""

import base64
import binascii
from functools import lru_cache
from typing import Final

OCTETS: Final = 32  # of a private key
AUTH_OCTETS: Final = 16  # of a device's secret
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve


def read_private(text: str) -> int:
    """Raises ValueError for anything that is no private key. It loads nothing: every process reads the settings."""
    try:
        octets = _decode(text)
    except ValueError:
        octets = b""
    number = int.from_bytes(octets)
    if len(octets) != OCTETS or not 0 < number < ORDER:
        raise ValueError("must be a key as critter push-keys makes it, of 43 characters")
    return number


def make_private() -> str:
    from cryptography.hazmat.primitives.asymmetric import ec

    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _encode(number.to_bytes(OCTETS))


def derive_private(seed: str) -> str:
    """A key that follows from a seed of 128 hexadecimal digits: twice as many bits as the order of the curve has, so
    that no key is likelier than another (FIPS 186-5 A.2.1)."""
    return _encode((int(seed, 16) % (ORDER - 1) + 1).to_bytes(OCTETS))


@lru_cache(maxsize=4)
def public_of(private: str) -> str:
    """What a browser is given when it subscribes (applicationServerKey)."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = ec.derive_private_key(read_private(private), ec.SECP256R1())
    return _encode(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def fit_a_device(p256dh: str, auth: str) -> bool:
    """Whether something can be encrypted with these keys of a device."""
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decode(p256dh))
        return len(_decode(auth)) == AUTH_OCTETS
    except ValueError:
        return False


def _encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """With or without padding; raises ValueError for anything else."""
    try:
        return base64.b64decode(text.rstrip("=").encode("ascii") + b"=" * (-len(text.rstrip("=")) % 4), b"-_", True)
    except binascii.Error:
        raise ValueError("not base64url") from None
