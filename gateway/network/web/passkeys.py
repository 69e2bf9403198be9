"""Passkeys: keys that a browser or phone keeps for somebody, by which they sign in without a code (WebAuthn level 3).

Only discoverable ones whose device has verified its user are taken, for a passkey is all that somebody shows. The
challenge is not kept here: who asks keeps it signed, for some minutes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.i18n.refusals import refusal
from gateway.ledger.audit import audit_log
from gateway.security.signed_tokens import Signer
from gateway.store.tables import Account, Passkey

MOST: Final = 20  # of one person
LONGEST_NAME: Final = 60
VERIFIED: Final = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Site:
    """For whom a passkey is good: the host name of our pages, which no other site can ask for."""

    host: str
    origin: str
    company: str


def site(public_url: str, company: str) -> Site | None:
    """None where browsers take no passkeys: at an address that is no name."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    named = any(letter.isalpha() for letter in host) and ":" not in host
    return Site(host, f"{parts.scheme}://{parts.netloc}", company) if named else None


def offer(session: Session, signer: Signer, here: Site, account: Account, challenge: bytes) -> str:
    """What a browser needs to make one, as JSON."""
    handle = bytes.fromhex(signer.seal("passkey user", account.id))
    have = [PublicKeyCredentialDescriptor(id=each.credential_id) for each in list_own(session, account.id)]
    if len(have) >= MOST:
        raise refusal("too_many_passkeys", number=MOST)
    return options_to_json(
        generate_registration_options(
            rp_id=here.host, rp_name=here.company, user_id=handle, user_name=account.handle,
            user_display_name=account.name, challenge=challenge, exclude_credentials=have,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED
            ),
        )
    )  # fmt: skip


def add(session: Session, here: Site, account: Account, challenge: bytes, written: str, name: str) -> None:
    """Keeps the one that the browser made; `written`: its answer, JSON. Raises Refused when it is not good."""
    try:
        made = verify_registration_response(
            credential=written, expected_challenge=challenge, expected_rp_id=here.host, expected_origin=here.origin,
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError):
        raise refusal("bad_passkey") from None
    if session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id)):
        raise refusal("bad_passkey")
    row = Passkey(account_id=account.id, credential_id=made.credential_id, public_key=made.credential_public_key)
    row.sign_count, row.name = made.sign_count, name[:LONGEST_NAME] or here.host
    session.add(row)
    session.flush()
    audit_log.record(session, f"@{account.handle}", "passkey.add", account.id)


def ask(here: Site, challenge: bytes) -> str:
    """What a browser needs to let somebody choose one of theirs, as JSON. It names nobody."""
    return options_to_json(
        generate_authentication_options(rp_id=here.host, challenge=challenge, user_verification=VERIFIED)
    )


def complete_sign_in(session: Session, here: Site, challenge: bytes, written: str) -> Account | None:
    """Whom the browser's answer signs in; None when it is not good. A count of uses that goes back is a copy's."""
    row = _named(session, written)
    account = session.get(Account, row.account_id) if row else None
    if row is None or account is None or account.state != "active":
        return None
    try:
        used = verify_authentication_response(
            credential=written, expected_challenge=challenge, expected_rp_id=here.host, expected_origin=here.origin,
            credential_public_key=row.public_key, credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError):
        audit_log.record(session, f"@{account.handle}", "passkey.wrong", account.id)
        return None
    row.sign_count, row.used_at = used.new_sign_count, func.now()
    return account


def _named(session: Session, written: str) -> Passkey | None:
    """The one that an answer says it is of, locked."""
    try:
        credential_id = base64url_to_bytes(str(json.loads(written)["id"]))
    except (ValueError, KeyError, TypeError):
        return None
    return session.scalars(select(Passkey).where(Passkey.credential_id == credential_id).with_for_update()).first()


def list_own(session: Session, account_id: int) -> Sequence[Passkey]:
    return session.scalars(select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.id)).all()


def remove(session: Session, account: Account, passkey_id: int) -> bool:
    """False when it is none of theirs."""
    mine = delete(Passkey).where(Passkey.id == passkey_id, Passkey.account_id == account.id)
    if session.scalar(mine.returning(Passkey.id)) is None:
        return False
    audit_log.record(session, f"@{account.handle}", "passkey.remove", account.id)
    return True
