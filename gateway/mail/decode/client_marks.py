"""The marks of mail programs in their HTML: where history begins, what is quoted, what is a signature.

html_to_text.py asks for each block. The names come from real mails of the programs; Outlook puts `x_` before the names
in mails that it quotes."""

import re
from typing import Literal

from selectolax.lexbor import LexborNode

Mark = Literal["fence", "quote", "signature", "indent"]

_FENCES = re.compile(
    r"^(?:divrplyfwdmsg|appendonsend|olk_src_body_section|stopspelling|zwchr|yahoo_quoted.*|replysplit|reply-intro|"
    r"mail-editor-reference-message-container|ms-outlook-mobile-reference-message|zmail_extra|oldcontent|"
    r"isforwardcontent|isreplycontent|origbody|quotedcontent|tutanota_quote_head)$"
)
_FENCE_CLASSES = frozenset(
    [
        "yahoo_quoted",
        "zmail_extra",
        "protonmail_quote",
        "ms-outlook-mobile-reference-message",
        "tutanota_quote_head",
        "ntes-mailmaster-quote",
        "qtdseparatebr",
        "aolreplacedbody",
    ]
)
_QUOTES = frozenset(["moz-cite-prefix", "gmail_attr", "moz-email-headers-table-reply"])
_SIGNATURES = re.compile(
    r"^(?:applemailsignature|lineBreakAtBeginningOfSignature|signature|ms-outlook-mobile-signature|"
    r"mobile-signature|mail-signature|yahoo_signature|protonmail_signature.*|_mobile_signature|composer_signature)$",
    re.IGNORECASE,
)
_SIGNATURE_CLASSES = re.compile(
    r"^(?:gmail_signature|signature|moz-signature|applemailsignature|yahoo-signature|.{0,40}signature_block.*|k9mail-signature|"
    r"ms-outlook-mobile-signature|gmail_signature_prefix|elementtoproof-signature)$",
    re.IGNORECASE,
)
_HEAD_BORDER = re.compile(  # Outlook's, and as browsers write it
    r"border-top:\s*solid\s*(?:#[be]\w{5}|\w+)\s*1\.0pt|"
    r"border-top:\s*1(?:\.0)?pt\s+solid\s+(?:rgb\((?:225, ?225, ?225|181, ?196, ?223)\)|#e1e1e1|#b5c4df)|"
    r"border-style:\s*solid none none\s*;.*\bpadding:\s*3(?:\.0)?pt 0",
    re.IGNORECASE,
)
_PREFIXED = re.compile(r"^(?:x_|ecx)+")
_SIDE_BORDER = re.compile(r"border-left:\s*(?:solid\s*(?:blue|#\w{6})\s*1\.5pt|2px solid #1010ff)", re.IGNORECASE)
_BARRED = re.compile(r"border-left(?:-width)?:\s*(?:[1-5]px|thin|medium)[^;]*", re.IGNORECASE)
_PADDED = re.compile(r"(?:padding|margin)(?:-left)?:\s*[^;]*[1-9]", re.IGNORECASE)
_CALLED_QUOTE = re.compile(
    r"^(?!gmail_|proton|yahoo)(?:.{0,30}[-_])?(?:quot(?:e|ed|ation)|blockquote|original[-_]?message|previous[-_]?message|"
    r"reply[-_]?history|mail[-_]?history)(?:[-_].{0,30})?$"
)
_UNQUOTED = re.compile(r"border(?:-left|-width)?:\s*(?:none|0)", re.IGNORECASE)
_TIGHT = re.compile(
    r"\bmso(?:normal|plaintext|listparagraph)|margin(?:-top|-bottom)?:\s*0(?:px|pt|cm|in)?\s*(?:;|$)", re.I
)
TIGHT_SHEET = re.compile(
    r"(?:^|[\s}.])p\s*\{\s*margin(?:-top)?:\s*0", re.IGNORECASE
)  # a style sheet that removes the space around all paragraphs
_DEEPEST = 12  # steps
_MARKED = frozenset({"div", "span", "blockquote", "hr", "p", "table", "td", "section", "a", "details"})


def mark(node: LexborNode) -> Mark | None:
    """The mark that a mail program set on this node; None when there is none."""
    tag = node.tag
    if tag not in _MARKED:
        return None
    attributes = node.attributes
    if not attributes:
        return "quote" if tag == "blockquote" else None
    if tag == "blockquote":
        return _blockquote(attributes)
    marked = _named(tag, attributes) or _styled(attributes.get("style") or "")
    if marked is None and "gmail_quote" in (attributes.get("class") or "").split() and not _has_blockquote(node):
        marked = "quote"  # else the blockquote is the quote, and answers may stand between
    if marked == "quote" and _opening(node).startswith("---"):
        return None  # a line above a forwarded mail
    return marked


def is_fence_comment(node: LexborNode) -> bool:
    """Whether it is the comment that Samsung's program puts before an earlier mail."""
    return node.tag == "-comment" and "originalMessage" in (node.html or "")[:60]


def tight(node: LexborNode) -> bool:
    """Whether a paragraph has no space around it: Outlook writes every line as such a paragraph."""
    attributes = node.attributes
    return bool(_TIGHT.search(f"{attributes.get('class') or ''} {attributes.get('style') or ''}"))


def _has_blockquote(node: LexborNode) -> bool:
    """Whether one of the first nodes directly inside is a blockquote."""
    inside = node.child
    for _ in range(_DEEPEST):
        if inside is None:
            return False
        if inside.tag == "blockquote":
            return True
        inside = inside.next
    return False


def _opening(node: LexborNode) -> str:
    """The first words inside a node, at most a few levels down, because nodes may nest without limit."""
    inside = node.child
    for _ in range(_DEEPEST):
        if inside is None:
            return ""
        if inside.tag == "-text" and (words := (inside.text_content or "").strip()):
            return words
        inside = inside.next if inside.tag == "-text" else inside.child or inside.next
    return ""


def _blockquote(attributes: dict[str, str | None]) -> Mark:
    """Whether a blockquote is a quote or an indent: Gmail's indent button makes a blockquote without a border."""
    own = _UNQUOTED.search(attributes.get("style") or "") and attributes.get("type") != "cite"
    return "indent" if own and "quote" not in (attributes.get("class") or "") else "quote"


def _named(tag: str, attributes: dict[str, str | None]) -> Mark | None:
    name = _PREFIXED.sub("", (attributes.get("id") or attributes.get("name") or "").lower())
    classes = [_PREFIXED.sub("", each.lower()) for each in (attributes.get("class") or "").split()]
    if (name and _FENCES.match(name)) or not _FENCE_CLASSES.isdisjoint(classes):
        return "fence"
    if attributes.get("data-marker") == "__DIVIDER__":
        return "fence"
    if tag == "hr":
        return "fence" if attributes.get("tabindex") == "-1" else None
    if not _QUOTES.isdisjoint(classes) or any(map(_CALLED_QUOTE.match, (name, *classes))):
        return "quote"
    if (name and (_SIGNATURES.match(name) or name == "messagesignaturesection")) or any(
        map(_SIGNATURE_CLASSES.match, classes)
    ):
        return "signature"
    return "signature" if attributes.get("data-smartmail") == "gmail_signature" else None


def _styled(style: str) -> Mark | None:
    if "border" not in style:
        return None
    if _HEAD_BORDER.search(style):
        return "fence"
    barred = _BARRED.search(style)
    drawn = barred and "solid" in barred[0].lower() and _PADDED.search(style)
    return "quote" if _SIDE_BORDER.search(style) or drawn else None
