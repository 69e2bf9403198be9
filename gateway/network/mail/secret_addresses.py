"""Secret addresses by which people may post from any mailbox: post+SECRET@. The mail door, workers and `critter people
secret` ask.

A secret has 128 bits. It is made of a random seed and our key, so that it can be shown again while a stolen database
does not reveal it. It is found by its own hash, so that it stays valid after a change of the key.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.security.signed_tokens import Signer
from gateway.store.tables import Account, PostingAddress

KIND: Final = "posting address"
SEED: Final = 16  # octets
SECRET: Final = re.compile(r"^post[-+.][a-z2-7]{26,52}@", re.IGNORECASE)


def secret(session: Session, signer: Signer, account_id: int) -> str:
    """The person's secret. It is made when they have none, or when the key that it was made with is gone."""
    row = session.get(PostingAddress, account_id)
    made = signer.stretch(KIND, row.seed) if row else ()
    standing = next((each for each in made if row and digest(each) == row.digest), None)
    return standing or rotate(session, signer, account_id)


def rotate(session: Session, signer: Signer, account_id: int) -> str:
    """Makes a new secret; the old one is no longer valid."""
    seed = secrets.token_bytes(SEED)
    made = signer.stretch(KIND, seed)[0]
    new = insert(PostingAddress).values(account_id=account_id, seed=seed, digest=digest(made))
    values = {"seed": new.excluded.seed, "digest": new.excluded.digest, "made_at": new.excluded.made_at}
    session.execute(new.on_conflict_do_update(index_elements=["account_id"], set_=values))
    session.expire_all()
    return made


def owner(session: Session, word: str) -> int | None:
    """Whose secret it is; None when its owner is not active."""
    theirs = select(Account.id).join(PostingAddress, PostingAddress.account_id == Account.id)
    return session.scalar(theirs.where(PostingAddress.digest == digest(word), Account.state == "active"))


def redact(recipients: Sequence[str]) -> tuple[str, ...]:
    """The recipients as they may be kept and shown: a secret address becomes post@."""
    return tuple(dict.fromkeys(SECRET.sub(r"post@", each) for each in recipients))


def digest(word: str) -> bytes:
    """The form in which a secret is stored: it has too many bits to be guessed from this."""
    return hashlib.sha256(word.lower().encode()).digest()
