"""Reads the content after DATA, in chunks of any size, up to the only end that a mail has: CR LF dot CR LF.
gateway/doors/smtp/fast_path feeds it.

Servers that also take a bare LF for an end of line can be made to see two mails where their neighbour saw one (SMTP
smuggling). So a bare CR or LF anywhere refuses the whole mail, and never ends it.
"""

from gateway.doors.smtp.read_buffer import LONGEST_LINE

END = b"\r\n.\r\n"

TOO_LONG = "500 5.6.0 A line is longer than 1000 octets"
TOO_MUCH = "552 5.3.4 The message is larger than {limit} octets"
BARE = "550 5.6.11 Lines must end with CR LF, and neither may stand alone"


class DataReader:
    """The mail of one DATA. A fault is reported at the end of the mail only; after it the octets are dropped."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._raw = bytearray(b"\r\n")  # the line end of DATA itself, because an empty mail's dot may come at once
        self._line = 2  # where the last line begins
        self.fault: str | None = None

    def feed(self, chunk: bytes) -> bytes | None:
        """Adds a chunk; returns None while the mail continues, and at its end the octets that came after it."""
        known = len(self._raw)
        self._raw += chunk
        end = self._raw.find(END, max(0, known - len(END) + 1))
        if end < 0:
            self._check()
            return None
        rest = bytes(self._raw[end + len(END) :])
        del self._raw[end + 2 :]
        self._check()
        self._check_ends()
        return rest

    @property
    def size(self) -> int:
        """Octets that are held in memory."""
        return len(self._raw)

    def refuse(self, fault: str) -> None:
        """Refuses the mail for a reason outside of it; the rest of it is read and dropped."""
        self.fault = self.fault or fault
        del self._raw[: -len(END)]

    def octets(self) -> bytes:
        """Returns the mail itself, with doubled dots undone."""
        return bytes(self._raw[2:]).removeprefix(b".").replace(b"\r\n.", b"\r\n")

    def _check(self) -> None:
        if self.fault is None and self._has_long_line():
            self.fault = TOO_LONG
        if self.fault is None and len(self._raw) - 2 > self._limit:
            self.fault = TOO_MUCH.format(limit=self._limit)
        if self.fault is not None:
            del self._raw[: -len(END)]

    def _has_long_line(self) -> bool:
        """Jumps over as many whole lines as fit into a thousand octets, for speed; a doubled dot does not count (RFC
        5321, 4.5.2)."""
        while len(self._raw) - self._line > (longest := LONGEST_LINE + self._raw.startswith(b".", self._line)):
            end = self._raw.rfind(b"\n", self._line, self._line + longest)
            if end < 0:
                return True
            self._line = end + 1
        return False

    def _check_ends(self) -> None:
        pairs = self._raw.count(b"\r\n")
        if self.fault is None and not pairs == self._raw.count(b"\r") == self._raw.count(b"\n"):
            self.fault = BARE
