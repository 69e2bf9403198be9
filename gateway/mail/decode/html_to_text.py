"""Converts an HTML mail to plain text: blocks become lines, quoted blocks get "> ", hidden parts are left out.

Where a mail program marked the beginning of history or of a signature, a line of one special character tells
quote_trimming.py so."""

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from gateway.mail.decode.client_marks import TIGHT_SHEET, Mark, is_fence_comment, mark, tight
from gateway.mail.footers.signature_trimming import SIGNED

FENCE = "\ufdd0"  # the line at a program's mark for the beginning of history; no text has this character

_DROPPED_TAGS = """
audio button embed head iframe math noscript object script select style svg template title video
"""
_DROPPED = frozenset(_DROPPED_TAGS.split())
_BLOCKS_TAGS = """
address article aside blockquote body center dd details div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header
hr li main nav ol p pre section table tbody tfoot thead tr ul
"""
_BLOCKS = frozenset(_BLOCKS_TAGS.split())
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table", "pre"})
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])|"
    r"(?<![\w-])opacity\s*:\s*0(?![.\d])|max-height\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_LARGEST = 1_000_000  # characters of HTML that are read
_LONGEST_EMOJI = 8  # characters, including joiners
_HEAD = 20_000  # characters that are searched for style sheets
_MOST_TAGS = 15_000  # deeply nested tags take quadratic time to parse; above this number tags are only removed
_TAG = re.compile(r"<[^<>]*>")


class _Lines:
    """The lines written so far, each with the depth of quotes it stands in."""

    def __init__(self, tight: bool = False) -> None:
        self.tight = tight
        self.done: list[str] = []
        self.line = ""
        self.quoted = 0

    def say(self, text: str) -> None:
        if text == " " and (not self.line or self.line.endswith(" ")):
            return
        self.line += text.lstrip(" ") if not self.line or self.line.endswith(" ") else text

    def end(self, always: bool = False) -> None:
        if self.line.strip() or always:
            self.done.append("> " * min(self.quoted, 9) + self.line.rstrip(" "))
        self.line = ""

    def mark(self, sign: str) -> None:
        """Adds a mark, but only outside of quotes, where it has a meaning."""
        if not self.quoted:
            self.done.append(sign)

    def space(self) -> None:
        if self.done and self.done[-1].strip("> "):
            self.done.append("> " * min(self.quoted, 9))


def hypertext(html: str) -> str:
    """The text that a reader of this HTML sees. It walks without recursion, because mails may nest without limit."""
    html = html[:_LARGEST].replace("\x00", "")
    if html.count("<") > _MOST_TAGS:
        return unescape(_TAG.sub(" ", html)).strip()
    root = LexborHTMLParser(html).body
    lines = _Lines(tight=bool(TIGHT_SHEET.search(html[:_HEAD])))
    node: LexborNode | None = root
    while node is not None:
        inside = _enter(node, lines)
        if inside is None and (root is None or node.mem_id != root.mem_id):
            _leave(node, lines)
        node = inside or _following(node, root, lines)
    lines.end()
    return "\n".join(line.rstrip() for line in lines.done).strip("\n")


def _enter(node: LexborNode, lines: _Lines) -> LexborNode | None:
    """Enters a node; returns its first child, or None when nothing inside is read."""
    tag = node.tag
    if tag == "-text":
        _words(node, lines)
        return None
    if is_fence_comment(node):
        lines.end()
        lines.mark(FENCE)
        return None
    if tag is None or tag.startswith(("-", "!", "_")) or tag in _DROPPED or _hidden(node):
        return None
    if tag == "img":
        _emoji(node, lines)
        return None
    if tag == "br":
        lines.end(always=True)
        return None
    if tag in ("td", "th"):
        lines.say(" ")
    marked = mark(node)
    if tag in _BLOCKS or marked:
        lines.end()
        _begin(node, tag, marked, lines)
    return node.child


def _begin(node: LexborNode, tag: str, marked: Mark | None, lines: _Lines) -> None:
    if tag in _SPACED and not _tight(node, tag, lines):
        lines.space()
    if marked == "quote":
        lines.quoted += 1
    if marked == "fence":
        lines.mark(FENCE)
    if marked == "signature":
        lines.mark(SIGNED)
    if tag == "li":
        lines.say("- ")


def _leave(node: LexborNode, lines: _Lines) -> None:
    tag = node.tag
    marked = mark(node)
    if (tag not in _BLOCKS and not marked) or _hidden(node):
        return
    close = _tight(node, tag, lines)
    lines.end(always=close and not node.text().strip())
    if marked == "quote":
        lines.quoted = max(0, lines.quoted - 1)
    if tag in _SPACED and not close:
        lines.space()


def _tight(node: LexborNode, tag: str | None, lines: _Lines) -> bool:
    return tag == "p" and (lines.tight or tight(node))


def _following(node: LexborNode, root: LexborNode | None, lines: _Lines) -> LexborNode | None:
    """The node after this one and its descendants. Parents that end here are closed with `_leave`."""
    while root is not None and node.mem_id != root.mem_id:
        if node.next is not None:
            return node.next
        parent = node.parent
        if parent is None or parent.mem_id == root.mem_id:
            return None
        _leave(parent, lines)
        node = parent
    return None


def _words(node: LexborNode, lines: _Lines) -> None:
    text = node.text_content or ""
    parent = node.parent
    if parent is not None and parent.tag == "pre":
        first, *others = text.split("\n")
        lines.line += first
        for other in others:
            lines.end(always=True)
            lines.line = other
        return
    lines.say(_SPACE.sub(" ", text))


def _emoji(node: LexborNode, lines: _Lines) -> None:
    """Reads a picture as an emoji, which some programs send so; other pictures are ignored."""
    said = (node.attributes.get("alt") or "").strip()
    if 0 < len(said) <= _LONGEST_EMOJI and not any(map(str.isalnum, said)) and not said.isascii():
        lines.say(said)


def _hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or bool(_HIDDEN.search(attributes.get("style") or ""))
