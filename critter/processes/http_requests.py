"""Finds where one HTTP/1.1 request ends in what a connection sent, without interpreting it: pure.

The web server collects a complete request before a thread has anything to do with it; then gunicorn's own parser reads
it. Whatever is malformed here is handed on as it is: that parser refuses it. It is given no octet beyond the end found
here, so the two cannot disagree about where the next request begins.
"""

import re
from collections.abc import Callable
from typing import Final

LARGEST_HEAD: Final = 64 * 1024  # octets
END_OF_HEAD: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE)
CODING: Final = re.compile(rb"\r\ntransfer-encoding[ \t]*:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE)
EXPECTS: Final = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
DIGITS: Final = re.compile(rb"[0-9]{1,15}")
CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,200}\r\n")
SHORT_CHUNK: Final = 210  # octets in which the line before a chunk ends

TOO_LARGE_HEAD: Final = 431  # RFC 6585, 5
TOO_LARGE: Final = 413


class Framing:
    """The first request in what a connection sent. `feed` adds octets; `take` returns the request and keeps what
    follows."""

    def __init__(self, largest: int, larger: Callable[[bytes], int] | None = None) -> None:
        """`largest`: octets of a body; `larger`: says how many there may be behind this head, for a body with more."""
        self._largest, self._larger = largest, larger
        self._raw = bytearray()
        self._forget()

    def _forget(self) -> None:
        self._allowed = self._largest  # octets of this body
        self._looked = 0  # no end of the head was found before this position
        self._body: int | None = None  # where the body begins
        self._end: int | None = None
        self._chunk: int | None = None  # where the next chunk begins, of a chunked body
        self.fault: int | None = None  # an HTTP status; nothing more is read then
        self.wants_continue = False  # its client waits for "100 Continue" before it sends the body

    @property
    def size(self) -> int:
        return len(self._raw)

    @property
    def is_complete(self) -> bool:
        return self._end is not None and len(self._raw) >= self._end

    @property
    def has_head(self) -> bool:
        return self._body is not None

    @property
    def has_begun(self) -> bool:
        return bool(self._raw)

    def feed(self, data: bytes) -> None:
        self._raw += data
        self.look()

    def look(self) -> None:
        """Looks for the end. It runs also after a request was taken, because the next one may be complete."""
        if self._body is None:
            self._find_head()
        if self._chunk is not None and self._end is None:
            self._follow_chunks()

    def take(self) -> bytes:
        assert self._end is not None
        taken = bytes(self._raw[: self._end])
        del self._raw[: self._end]
        self._forget()
        return taken

    def _find_head(self) -> None:
        at = self._raw.find(END_OF_HEAD, max(0, self._looked - 3))
        self._looked = len(self._raw)
        if at > LARGEST_HEAD or (at < 0 and self._looked > LARGEST_HEAD):
            self.fault = TOO_LARGE_HEAD
        if at < 0 or self.fault:
            return
        self._body = at + len(END_OF_HEAD)
        self._read_head(bytes(self._raw[: self._body]))
        self.wants_continue = not self.is_complete and EXPECTS.search(self._raw, 0, self._body) is not None

    def _read_head(self, head: bytes) -> None:
        assert self._body is not None
        lengths, codings = LENGTH.findall(head), CODING.findall(head)
        if codings:
            if len(codings) == 1 and codings[0].lower() == b"chunked" and not lengths:
                self._chunk = self._body
            else:
                self._end = self._body
        elif len(lengths) == 1 and DIGITS.fullmatch(lengths[0]):
            self._end = self._body + int(lengths[0])
            if self._is_too_large(int(lengths[0])):
                self.fault = TOO_LARGE
        else:
            self._end = self._body  # no body, or one whose length the parser refuses

    def _is_too_large(self, octets: int) -> bool:
        if octets > self._allowed and self._larger is not None:
            self._allowed = max(self._allowed, self._larger(bytes(self._raw[: self._body])))
        return octets > self._allowed

    def _follow_chunks(self) -> None:
        assert self._chunk is not None
        assert self._body is not None
        while (line := CHUNK.match(self._raw, self._chunk)) is not None:
            size = int(line[1], 16)
            if size == 0:
                self._end_of_trailers(line.end())
                return
            if self._is_too_large(line.end() + size - self._body):
                self.fault = TOO_LARGE
                return
            if len(self._raw) < line.end() + size + 2:
                return
            self._chunk = line.end() + size + 2
        if len(self._raw) - self._chunk >= SHORT_CHUNK:
            self._end = len(self._raw)  # no such line can come any more

    def _end_of_trailers(self, after: int) -> None:
        """The end is an empty line, at once or after trailer fields."""
        if self._raw.startswith(b"\r\n", after):
            self._end = after + 2
        elif (at := self._raw.find(END_OF_HEAD, after)) >= 0:
            self._end = at + len(END_OF_HEAD)
        elif len(self._raw) - after > LARGEST_HEAD:
            self.fault = TOO_LARGE_HEAD
