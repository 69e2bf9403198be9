"""The key by which push services know that a push comes from this installation (VAPID, RFC 8292). It follows from the
secret key, so there is nothing to keep and nothing to lose."""

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.security.signed_tokens import Signer

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


def private_key(signer: Signer) -> ec.EllipticCurvePrivateKey:
    """Twice as many random bits as the order has, so that no scalar is likelier than another (FIPS 186-5 A.2.1)."""
    drawn = int(signer.seal("vapid", 0) + signer.seal("vapid", 1), 16)
    return ec.derive_private_key(drawn % (ORDER - 1) + 1, ec.SECP256R1())


@lru_cache(4)
def public_key(signer: Signer) -> str:
    """As browsers and apps take it: the uncompressed point, base64 for addresses without padding."""
    point = private_key(signer).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).decode().rstrip("=")
