"""The HTML part of an outgoing mail for compose.py: one card, light and dark, without external resources.

It is rendered from templates/mail.html once for each message; what differs by recipient is filled in later. Styles are
inline, because Gmail and Outlook keep those; a style sheet, which they may drop, adds the dark colours. Tables set the
width where Outlook renders with Word; for screen readers they are marked as layout.
"""

import re
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gateway.mail.compose.layout import MailLayout

PREVIEW: Final = 90  # characters that mail programs show beside the subject in a list
_LINK = re.compile(
    r"(?P<url>https?://[^\s<>\"]+[^\s<>\".,:;!?)\]}'»”’])"
    r"|(?<![\w.+-])[\w.+-]{1,64}@(?P<domain>[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?![\w-])",
    re.ASCII | re.IGNORECASE,
)
_LONG_ADDRESS = 40  # characters; a longer address contains a token, which means nothing to a reader
_PARAGRAPH: Final = Markup('<p dir="auto" style="margin:0 0 {below}px">{lines}</p>')
_ANCHOR: Final = Markup('<a class="a" style="color:#22705e" href="{href}">{label}</a>')
_PAGE: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    keep_trailing_newline=True,
).get_template("mail.html")


def page(frame: MailLayout, text: str, stop_link: str, files_link: str = "") -> str:
    """The whole page. The preview text begins the marker's line, so that both are cut off a reply together. The face
    is the letter that is shown beside the author, as on our web pages."""
    return _PAGE.render(
        frame=frame,
        preview=" ".join(text.split())[:PREVIEW],
        face=next((each for each in frame.author if each.isalnum()), "·").upper(),
        words=paragraphs(text),
        stop=stop_link,
        files=files_link,
    )


def paragraphs(text: str) -> Markup:
    """Text as HTML: blank lines separate paragraphs, each with its own text direction; links can be clicked."""
    parts = re.split(r"\n{2,}", text.strip("\n"))
    last = len(parts) - 1
    return Markup("\n").join(
        _PARAGRAPH.format(below=0 if at == last else 12, lines=_lines(each)) for at, each in enumerate(parts)
    )


def _lines(paragraph: str) -> Markup:
    return Markup("<br>\n").join(_linked(line) for line in paragraph.split("\n"))


def _linked(line: str) -> Markup:
    pieces: list[Markup] = []
    end = 0
    for match in _LINK.finditer(line):
        there = match.group()
        href = there if match["url"] else f"mailto:{there}"
        label = f"{there[:2]}…@{match['domain']}" if match["domain"] and len(there) > _LONG_ADDRESS else there
        pieces += [escape(line[end : match.start()]), _ANCHOR.format(href=href, label=label)]
        end = match.end()
    return Markup().join((*pieces, escape(line[end:])))
