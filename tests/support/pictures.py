"""Draws docs/pictures anew: real mails as Chromium shows their HTML, and every page of the web interface.
`make pictures` runs it.

The mails are composed by the workers' own code from rows as a claim brings them; the people are made up.
"""

import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from gateway.ledger.outbox.claims import ClaimedDelivery, MessageContent
from gateway.security.signed_tokens import Signer
from gateway.settings import load
from handlers.help_command import MAILS, START
from tests.support import page_pictures
from workers.sending.render_mail import Mailing

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE, LAPTOP = (390, 2.0), (820, 1.0)  # CSS pixels wide, and pixels of the screen for each
AT = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
COLORS = 48  # of a picture: flat colours and the edges of letters


class Shown(NamedTuple):
    """One picture: its file, what is on it, and on which screen."""

    name: str
    html: str
    screen: tuple[int, float]
    dark: bool


def content(**changes: Any) -> MessageContent:
    kim = {"author_id": 2, "author": "kim", "author_name": "Kim Lee", "post_id": 3, "kind": "update"}
    rest = {"message_id": 1, "text": "", "subject": "", "private": False, "group": None, "parents": (), "answers": None}
    return MessageContent(**{**kim, **rest, "created_at": AT, **changes})


def claimed(language: str = "en", follows: str | None = "Kim Lee (@kim)") -> ClaimedDelivery:
    source = (2, "kim") if follows else (None, None)
    return ClaimedDelivery(1, 1, 4, 1, "sam@demo.example", None, False, *source, None, language, follows)


def mails() -> Iterator[Shown]:
    ours: dict[str, Any] = {"author_id": None, "author": None, "author_name": None, "post_id": None}
    update = content(
        body="Starting the ACME proposal. Draft by four, numbers here:\nhttps://corp.example/acme/draft?v=2"
    )
    yield Shown("update", html(claimed(), update), LAPTOP, False)
    reply = content(body="Four is fine. I have the margin from last year, shall I send it?", parents=(9,))
    yield Shown("reply-dark", html(claimed(), reply), PHONE, True)
    group = content(
        body="We won ACME! Thank you all.\n\nParty on Friday at five, second floor. Bring nobody who says no.",
        group="sales",
    )
    yield Shown("group", html(claimed(follows="Sales (#sales)"), group), PHONE, False)
    private = content(author="noa", author_name="נועה לוי", body="אפשר לדבר מחר בתשע על #acme?", direct=True, lang="he")
    yield Shown("private-dark", html(claimed("es", None), private), PHONE, True)
    answer = content(kind="answer", body="Kim Lee: last heard 20 minutes ago, 14 followers, you follow her.", **ours)
    yield Shown("answer-dark", html(claimed(follows=None), answer), LAPTOP, True)
    yield Shown(
        "help", html(claimed(follows=None), content(kind="answer", body=f"{START}\n\n{MAILS}", **ours)), PHONE, False
    )


def html(row: ClaimedDelivery, said: MessageContent) -> str:
    settings = load({"CRITTER_SECRET_KEY": "pictures", "CRITTER_MAIL_DOMAIN": "mail.example"})
    loaded, _ = Mailing(settings, Signer(settings.secret_keys)).load(row, said)
    part = message_from_bytes(loaded.parcel.content, policy=policy.default).get_body(("html",))
    assert part is not None
    return str(part.get_content())


def draw(browser: Any, shown: Shown) -> bytes:
    """A PNG of the whole page, in few colours so that the repository stays small."""
    width, scale = shown.screen
    page = browser.new_page(
        viewport={"width": width, "height": 200},
        device_scale_factor=scale,
        color_scheme="dark" if shown.dark else "light",
    )
    page.set_content(shown.html)
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    page.close()
    out = io.BytesIO()
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for shown in mails():
            drawn = draw(browser, shown)
            (FOLDER / f"{shown.name}.png").write_bytes(drawn)
            print(f"{shown.name}.png  {len(drawn) // 1024} KB")
        page_pictures.draw(browser, FOLDER / "pages")
        browser.close()


if __name__ == "__main__":
    main()
