"""What was just done, said on the page that comes next: a sentence in a cookie of this browser, for one page."""

from flask import Request, Response

from gateway.doors.web.visits import cookies, signed_cookies
from gateway.doors.web.visits.visit import Said, Visit


def put(answer: Response, visit: Visit, said: Said) -> None:
    content = [visit.account.id, said.text, said.undo]
    signed_cookies.put(answer, visit.settings, visit.web.signer, cookies.SAID, content)


def read(asked: Request, visit: Visit) -> Said | None:
    """None when there is nothing, or when it was said to somebody else who used this browser before."""
    kept = signed_cookies.read(asked, visit.settings, visit.web.signer, cookies.SAID)
    return Said(*kept[1:]) if kept and kept[0] == visit.account.id else None
