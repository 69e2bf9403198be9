"""Every header field of a mail that Critter reads, and what it may change. mime.py reads no field that is not here.

A DKIM signature covers the fields that its signer chose, and whoever passes a mail on may add, double or change all
others. So mail/auth/signature_coverage asks this table which fields a signature must cover before its mail may be read
as its author's words. To read one more field, enter it here first, with its role.
"""

from typing import Final, Literal

Role = Literal["author", "form", "name", "brake", "trace", "returned"]

READ: Final[dict[str, Role]] = {
    # author: whose mail it is, to whom, its words, its date. It must be there once and signed for a signature to count.
    "from": "author", "to": "author", "cc": "author", "subject": "author", "date": "author",
    "in-reply-to": "author", "references": "author", "content-id": "author",
    # form: how the octets of the body become words and files. It is there once, and signed or implied by the body.
    "content-type": "form", "content-transfer-encoding": "form", "content-disposition": "form",
    # name: it distinguishes mails and is never shown. It is there once; not everybody signs it.
    "message-id": "name",
    # brake: a sign that a machine wrote the mail. It can only stop a mail from being read, and tell that the owner of a
    # mailbox is away.
    "auto-submitted": "brake", "precedence": "brake", "x-autoreply": "brake", "x-autorespond": "brake",
    "x-failed-recipients": "brake", "x-critter-id": "brake", "x-loop": "brake",
    # trace: what servers add on the way, for us or for an operator. It does not affect the words.
    "received": "trace", "return-path": "trace", "delivered-to": "trace", "authentication-results": "trace",
    "dkim-signature": "trace",
    # returned: fields of our own mail inside a bounce, or of the report. They count only with our own token.
    "x-critter-token": "returned", "reply-to": "returned", "action": "returned", "status": "returned",
    "diagnostic-code": "returned",
}  # fmt: skip
LISTS: Final = "list-"  # all such fields are brakes, because a mailing list's mail is not written to us
BRAKES: Final = tuple(name for name, role in READ.items() if role == "brake" and name.startswith("x-"))


def known(name: str) -> str:
    """The name as it is in the table. Raises KeyError for other fields, since reading them is a bug."""
    lower = name.lower()
    if lower not in READ:
        raise KeyError(f"{name} is read, and is not in read_fields.READ")
    return lower


def is_brake(name: str) -> bool:
    """Whether the presence of the field, whatever its value, is a sign of a machine. `name` is in lower case."""
    return name in BRAKES or name.startswith(LISTS)


def of_role(*roles: Role) -> tuple[str, ...]:
    """The names of the fields that have one of these roles."""
    return tuple(name for name, role in READ.items() if role in roles)
