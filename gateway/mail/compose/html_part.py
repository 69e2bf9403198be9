"""The HTML part of an outgoing mail for compose.py: one card, light and dark, without external resources.

Styles are inline, because Gmail and Outlook keep those; a style sheet, which they may drop, adds the dark colours.
Tables set the width where Outlook renders with Word; for screen readers they are marked as layout.
"""

import re
from html import escape
from typing import Final

from gateway.mail.compose.layout import MailLayout

PREVIEW: Final = 90  # characters that mail programs show beside the subject in a list
_LINK = re.compile(
    r"(?P<url>https?://[^\s<>\"]+[^\s<>\".,:;!?)\]}'»”’])"
    r"|(?<![\w.+-])[\w.+-]{1,64}@(?P<domain>[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?![\w-])",
    re.ASCII | re.IGNORECASE,
)
_LONG_ADDRESS = 40  # characters; a longer address contains a token, which means nothing to a reader
_SHEET: Final = """\
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.p{background:#15181a!important}.c{background:#1d2124!important;border-color:#2e3438!important}
.t{color:#e8e6df!important}.s{color:#a2a79c!important}.a{color:#6cc5ad!important}
.f{background:#6cc5ad!important;color:#10201c!important}}
"""
_PAGE: Final = """\
<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title>
<style>
{sheet}</style></head>
<body class="p" style="margin:0;padding:0;background:#f7f6f2">
<table role="presentation" class="p" width="100%" cellpadding="0" cellspacing="0" border="0"
 style="background:#f7f6f2;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif">
<tr><td align="center" style="padding:12px">
<!--[if mso]><table role="presentation" width="560"><tr><td><![endif]-->
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px">
<tr><td class="s" align="left" style="padding:0 4px 10px;font-size:12px;line-height:1.5;color:#61675c">
{preview}{marker}</td></tr>
<tr><td class="c t" align="left"
 style="padding:20px;background:#fff;border:1px solid #e3e1d9;border-radius:14px;color:#22261f;text-align:start">
{by}<div{lang} style="font-size:17px;line-height:1.5;overflow-wrap:anywhere">
{words}
</div>{files}{hint}
</td></tr>
<tr><td class="s" align="left" style="padding:12px 4px;font-size:13px;line-height:1.5;color:#61675c">
{footer}
</td></tr></table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</body></html>
"""
_HIDDEN: Final = '<span aria-hidden="true" style="display:none;mso-hide:all">{words} </span>'
_BY: Final = """\
<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 14px"><tr>
<td class="f" aria-hidden="true" width="40" height="40" align="center"
 style="width:40px;height:40px;border-radius:20px;background:#22705e;color:#fff;font-size:17px;line-height:40px">
<b>{face}</b></td>
<td class="t" style="padding:0 12px;font-size:15px;line-height:1.35;color:#22261f"><bdi><b>{author}</b></bdi><br>
<span class="s" style="color:#61675c">{place}</span></td></tr></table>
"""
_HINT: Final = """
<p class="s" style="margin:16px 0 0;font-size:14px;line-height:1.5;color:#61675c">{hint}</p>"""
_FILES: Final = """
<p style="margin:4px 0 0;font-size:14px;overflow-wrap:anywhere"><a class="a" style="color:#22705e"
href="{link}"
>{link}</a></p>"""
_STOP: Final = '{reason} <a class="a" style="color:#22705e"\nhref="{link}"\n>{stop}</a>'
_PARAGRAPH: Final = '<p dir="auto" style="margin:0 0 {below}px">{lines}</p>'


def page(frame: MailLayout, text: str, stop_link: str, files_link: str = "") -> str:
    """The whole page. The preview text begins the marker's line, so that both are cut off a reply together."""
    preview = " ".join(text.split())[:PREVIEW]
    return _PAGE.format(
        language=escape(frame.language),
        title=escape(frame.author or frame.sender),
        sheet=_SHEET,
        preview=_HIDDEN.format(words=escape(preview)) if preview else "",
        marker=escape(frame.marker),
        by=_by(frame),
        lang=f' lang="{escape(frame.words_language)}"' if frame.words_language else "",
        words=paragraphs(text),
        files=_FILES.format(link=files_link) if files_link else "",
        hint=_HINT.format(hint=escape(frame.hint)) if frame.hint else "",
        footer=_footer(frame, stop_link),
    )


def _by(frame: MailLayout) -> str:
    """Author and place, beside the letter that is shown for a face, as on our web pages."""
    if not frame.author:
        return ""
    face = next((each for each in frame.author if each.isalnum()), "·").upper()
    return _BY.format(face=escape(face), author=escape(frame.author), place=escape(frame.place))


def _footer(frame: MailLayout, link: str) -> str:
    reason = escape(frame.reason)
    if frame.stop and link:
        reason = _STOP.format(reason=reason, link=link, stop=escape(frame.stop))
    return "<br>\n".join(filter(None, (reason, escape(frame.sender))))


def paragraphs(text: str) -> str:
    """Text as HTML: blank lines separate paragraphs, each with its own text direction; links can be clicked."""
    parts = re.split(r"\n{2,}", text.strip("\n"))
    last = len(parts) - 1
    return "\n".join(
        _PARAGRAPH.format(below=0 if at == last else 12, lines=_lines(each)) for at, each in enumerate(parts)
    )


def _lines(paragraph: str) -> str:
    return "<br>\n".join(_linked(line) for line in paragraph.split("\n"))


def _linked(line: str) -> str:
    pieces: list[str] = []
    end = 0
    for match in _LINK.finditer(line):
        there = escape(match.group())
        href = there if match["url"] else f"mailto:{there}"
        label = f"{there[:2]}…@{match['domain']}" if match["domain"] and len(there) > _LONG_ADDRESS else there
        pieces += [escape(line[end : match.start()]), f'<a class="a" style="color:#22705e" href="{href}">{label}</a>']
        end = match.end()
    return "".join((*pieces, escape(line[end:])))
