"""What a browser keeps for us for some minutes while somebody signs in or adds a passkey: signed with its time, so that
nobody makes one of their own, and none lives longer than it should."""

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from flask import Request, Response

from gateway.doors.web.visits import cookies
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings


def put(answer: Response, settings: Settings, signer: Signer, name: str, content: Any) -> None:
    """`content`: anything that JSON can say."""
    written = json.dumps([int(time.time()), content])
    proof = signer.seal(f"cookie {name}", written)
    cookies.put(answer, settings, name, urlsafe_b64encode(f"{proof}.{written}".encode()).decode())


def read(asked: Request, settings: Settings, signer: Signer, name: str) -> Any | None:
    """None for one that is not ours, or older than ten minutes."""
    try:
        proof, _, written = urlsafe_b64decode(cookies.read(asked, settings, name)).decode().partition(".")
    except ValueError:
        return None
    if not written or not hmac.compare_digest(proof.encode(), signer.seal(f"cookie {name}", written).encode()):
        return None
    made, content = json.loads(written)
    return content if time.time() - made <= cookies.TEN_MINUTES else None
