"""Every header field that Critter reads of a mail, and what each may change. mime reads no field that is not here.

A DKIM signature covers the fields that its signer chose, and whoever passes a mail on may add, double or change all
others. So mail/auth/signature_coverage asks this table which fields a signature must cover before its mail may be read
as its author's words. A reader of one more field must enter it here first, with its role.
"""

from typing import Final, Literal

Role = Literal["author", "form", "name", "brake", "trace", "returned"]

READ: Final[dict[str, Role]] = {
    # author: whose mail it is, to whom, which words, when. There once, and signed, or the signature does not count.
    "from": "author", "to": "author", "cc": "author", "subject": "author", "date": "author",
    "in-reply-to": "author", "references": "author", "content-id": "author",
    # form: how the octets of the body become words and files. There once; signed, or else settled by the body itself.
    "content-type": "form", "content-transfer-encoding": "form", "content-disposition": "form",
    # name: it tells mails apart, and nothing of it is shown. There once; not signed by everybody.
    "message-id": "name",
    # brake: a sign that a machine wrote it. It can keep a mail from being read, and can do nothing else.
    "auto-submitted": "brake", "precedence": "brake", "x-autoreply": "brake", "x-autorespond": "brake",
    "x-failed-recipients": "brake", "x-critter-id": "brake", "x-loop": "brake",
    # trace: what servers write on the way, for us or for an operator. It says nothing about the words.
    "received": "trace", "return-path": "trace", "delivered-to": "trace", "authentication-results": "trace",
    "dkim-signature": "trace",
    # returned: of a mail of ours inside a bounce, or of its report. Only our own token makes these count.
    "x-critter-token": "returned", "reply-to": "returned", "action": "returned", "status": "returned",
    "diagnostic-code": "returned",
}  # fmt: skip
LISTS: Final = "list-"  # all of these are brakes: what a mailing list passes on is not written to us
BRAKES: Final = tuple(name for name, role in READ.items() if role == "brake" and name.startswith("x-"))


def known(name: str) -> str:
    """The name as the table has it. A field that is not in the table is a fault of the code, and raises KeyError."""
    lower = name.lower()
    if lower not in READ:
        raise KeyError(f"{name} is read, and is not in read_fields.READ")
    return lower


def is_brake(name: str) -> bool:
    """Whether the mere presence of the field, whatever it says, is a sign of a machine. `name` in lower case."""
    return name in BRAKES or name.startswith(LISTS)


def of_role(*roles: Role) -> tuple[str, ...]:
    """The names of the fields that have one of these roles."""
    return tuple(name for name, role in READ.items() if role in roles)
