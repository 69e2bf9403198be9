"""Converts text/enriched (RFC 1896) and the older text/richtext to plain text. body_parts.py calls it."""

import re

_PARAMETER = re.compile(r"<param>.*?(?:</param>|$)", re.IGNORECASE | re.DOTALL)
_NEW_LINE = re.compile(r"<nl>", re.IGNORECASE)  # from text/richtext, in which line ends have no meaning
_TAG = re.compile(r"</?[a-z][a-z0-9-]{0,59}>", re.IGNORECASE)
_LINE_ENDS = re.compile(r"\n+")
_LESS = "\ufdd2"  # replaces a written "<" for a while; no text has this character


def to_plain(written: str) -> str:
    """The plain text. A single line end becomes a blank, of several one is removed; "<<" is a written "<"."""
    text = written.replace(_LESS, "").replace("<<", _LESS).replace("<lt>", _LESS)
    text = _LINE_ENDS.sub(lambda ends: " " if len(ends[0]) == 1 else ends[0][1:], text)
    text = _NEW_LINE.sub("\n", _PARAMETER.sub("", text))
    return _TAG.sub("", text).replace(_LESS, "<").strip()
