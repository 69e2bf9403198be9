"""The words of an update as HTML. Nothing in them is taken for markup; links, @names and #tags become links with the
classes by which clients know them."""

import re
from collections.abc import Collection
from typing import Final

from markupsafe import Markup, escape

from gateway.language import nanoformats
from gateway.language.nanoformats import TextMark

PARAGRAPH: Final = re.compile(r"\n{2,}")
NAME: Final = Markup('<span class="h-card"><a href="{}/@{}" class="u-url mention">@<span>{}</span></a></span>')
TAG: Final = Markup('<a href="{}/tags/{}" class="mention hashtag" rel="tag">#<span>{}</span></a>')
LINK: Final = Markup('<a href="{}" rel="nofollow noopener noreferrer" target="_blank">{}</a>')


def html(words: str, handles: Collection[str], site: str) -> str:
    """Paragraphs and line breaks as they were written. `handles`: those that are somebody's here; `site`: our
    address."""
    paragraphs = (each for each in PARAGRAPH.split(words.strip()) if each)
    return str(Markup("").join(Markup("<p>{}</p>").format(_lines(each, handles, site)) for each in paragraphs))


def _lines(words: str, handles: Collection[str], site: str) -> Markup:
    pieces = Markup("").join(_piece(mark, handles, site) for mark in nanoformats.split(words))
    return Markup(str(pieces).replace("\n", "<br />"))  # noqa: S704 - it is escaped already


def _piece(mark: TextMark, handles: Collection[str], site: str) -> Markup:
    match mark.kind:
        case "name" if mark.value in handles:
            return NAME.format(site, mark.value, mark.written[1:])
        case "tag":
            return TAG.format(site, mark.value, mark.written[1:])
        case "link":
            return LINK.format(mark.value, mark.written)
    return escape(mark.written)
