"""text/enriched (RFC 1896) and its older brother text/richtext as plain text. body_parts.py asks."""

import re

_PARAMETER = re.compile(r"<param>.*?(?:</param>|$)", re.IGNORECASE | re.DOTALL)
_NEW_LINE = re.compile(r"<nl>", re.IGNORECASE)  # of text/richtext, in which line ends mean nothing
_TAG = re.compile(r"</?[a-z][a-z0-9-]{0,59}>", re.IGNORECASE)
_LINE_ENDS = re.compile(r"\n+")
_LESS = "\ufdd2"  # stands for a written "<" meanwhile; no text has this character


def to_plain(written: str) -> str:
    """One line end is a blank, of several one is left out; "<<" is a written "<"."""
    text = written.replace(_LESS, "").replace("<<", _LESS).replace("<lt>", _LESS)
    text = _LINE_ENDS.sub(lambda ends: " " if len(ends[0]) == 1 else ends[0][1:], text)
    text = _NEW_LINE.sub("\n", _PARAMETER.sub("", text))
    return _TAG.sub("", text).replace(_LESS, "<").strip()
