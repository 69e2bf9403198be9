"""The small HTML part of an outgoing mail: light and dark, inline style, nothing from elsewhere. For mails.py."""

import re
from html import escape

_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,:;!?)']")
_PAGE = """\
<!doctype html>
<html><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark"></head>
<body style="margin:0;padding:16px;font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif">
<div style="font-size:12px;opacity:.6">{marker}</div>
<div style="max-width:36em;margin:12px 0">
{body}
</div>
{link}</body></html>
"""


def page(marker: str, text: str, html: str | None, link: str) -> str:
    """The whole page. `html` stands as it is, made by us; without it the text becomes paragraphs with live links."""
    body = html if html is not None else _paragraphs(text)
    more = f'<div><a\nhref="{link}"\n>{link}</a></div>\n' if link else ""
    return _PAGE.format(marker=escape(marker), body=body, link=more)


def _paragraphs(text: str) -> str:
    return "\n".join(f'<p style="margin:0 0 1em">{_lines(each)}</p>' for each in re.split(r"\n{2,}", text.strip("\n")))


def _lines(paragraph: str) -> str:
    return "<br>\n".join(_linked(line) for line in paragraph.split("\n"))


def _linked(line: str) -> str:
    pieces: list[str] = []
    end = 0
    for match in _LINK.finditer(line):
        url = escape(match.group())
        pieces += [escape(line[end : match.start()]), f'<a href="{url}">{url}</a>']
        end = match.end()
    return "".join((*pieces, escape(line[end:])))
