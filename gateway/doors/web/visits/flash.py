"""What was just done, said on the page that comes next: a flash message in a cookie of this browser, for one page."""

from flask import Request, Response

from gateway.doors.web.visits import cookies, signed_cookies
from gateway.doors.web.visits.visit import FlashMessage, Visit


def put(answer: Response, visit: Visit, message: FlashMessage) -> None:
    content = [visit.account.id, message.text, message.undo]
    signed_cookies.put(answer, visit.settings, visit.web.signer, cookies.FLASH, content)


def read(asked: Request, visit: Visit) -> FlashMessage | None:
    """None when there is nothing, or when it was said to somebody else who used this browser before."""
    kept = signed_cookies.read(asked, visit.settings, visit.web.signer, cookies.FLASH)
    return FlashMessage(*kept[1:]) if kept and kept[0] == visit.account.id else None
