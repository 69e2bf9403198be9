"""Draws every page of the web interface: phone and desk, light and dark, side by side in one picture each, from a
running Critter with its made-up people. `make pictures` calls it; docs/pictures/pages/ has the result."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from tests.support.running_critter import Company
from tests.support.running_critter import company as run_company

LOOKS = ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark"))
HEIGHT = 900
SCALE = 0.6
GAP = 12
# Name of the picture → as whom (nobody: a visitor), and the page.
PAGES: dict[str, tuple[str, str]] = {
    "welcome": ("", "/tour"),
    "sign-in": ("", "/sign-in"),
    "offline": ("", "/offline"),
    "home": ("kim", "/"),
    "everyone": ("kim", "/everyone"),
    "to-you": ("kim", "/to-you"),
    "private": ("kim", "/private"),
    "private-talk": ("kim", "/private/sam"),
    "write": ("kim", "/write"),
    "write-privately": ("kim", "/write?to=sam"),
    "people": ("kim", "/people"),
    "groups": ("kim", "/groups"),
    "person": ("kim", "/@sam"),
    "group": ("kim", "/@acme"),
    "search": ("kim", "/search?q=acme"),
    "tag": ("kim", "/tags/acme"),
    "menu": ("kim", "/menu"),
    "not-found": ("kim", "/@nobody"),
    "settings": ("kim", "/settings"),
    "settings-phones": ("kim", "/settings/phones"),
    "settings-you": ("kim", "/settings/you"),
    "settings-signed-in": ("kim", "/settings/signed-in"),
    "settings-data": ("kim", "/settings/data"),
    "operate-flow": ("pat", "/operate"),
    "operate-deliveries": ("pat", "/operate/deliveries"),
    "operate-undelivered": ("pat", "/operate/undelivered"),
    "operate-held": ("pat", "/operate/held"),
    "operate-numbers": ("pat", "/operate/numbers"),
    "operate-consent": ("pat", "/operate/consent"),
    "operate-costs": ("pat", "/operate/costs"),
    "operate-people": ("pat", "/operate/people"),
    "operate-audit": ("pat", "/operate/audit"),
    "operate-settings": ("pat", "/operate/settings"),
    "operate-check": ("pat", "/operate/check"),
    "operate-explain": ("pat", "/operate/explain"),
    "terms": ("", "/terms"),
    "privacy": ("", "/privacy"),
    "help": ("", "/help"),
}
SAID = (
    ("+14155550102", "@kim they want the proposal by Monday, and two prices to choose from"),
    ("+14155550101", "d sam I have the numbers, call me at four"),
    ("+14155550102", "d kim good, at four then"),
    ("+14155550101", "starting the ACME proposal"),
)


def draw(browser: Any, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as var, run_company(Path(var) / "critter") as critter:
        for number, words in SAID:
            critter.text(number, words)
            time.sleep(2)
        for name, (handle, path) in PAGES.items():
            looks = [_look(browser, critter, handle, path, *look) for look in LOOKS]
            _side_by_side(looks).save(folder / f"{name}.webp", quality=70, method=6)


def _look(browser: Any, critter: Company, handle: str, path: str, width: int, theme: str) -> Image.Image:
    url = f"http://{critter.environ['CRITTER_WEB_LISTEN']}"
    size = {"width": width, "height": HEIGHT}
    context = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    if handle:
        page.goto(f"{url}/as/{handle}")
    page.goto(url + path)
    page.wait_for_timeout(300)
    picture = Image.open(io.BytesIO(page.screenshot()))
    context.close()
    return picture


def _side_by_side(looks: list[Image.Image]) -> Image.Image:
    small = list(_shrunk(looks))
    whole = Image.new(
        "RGB", (sum(each.width + GAP for each in small) - GAP, max(each.height for each in small)), "#888"
    )
    left = 0
    for each in small:
        whole.paste(each, (left, 0))
        left += each.width + GAP
    return whole


def _shrunk(looks: list[Image.Image]) -> Iterator[Image.Image]:
    for each in looks:
        yield each.resize((int(each.width * SCALE), int(each.height * SCALE)))
