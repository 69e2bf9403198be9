"""Lean servers for the measurements that send, each in a process of its own: Twilio's "create message", an SMTP sink.

`with Stub("http") as stub:` starts one on loopback; it answers as fast as Python can, stores nothing and counts.
`letters` and `texts` do the same, and also remember the mark of each message and when it came.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from typing import Any, ClassVar

SID = "SM" + "0" * 32
ACCOUNT = "AC" + "0" * 32
_BODY = (
    b'{"account_sid":"%b","api_version":"2010-04-01","body":"x","date_created":"Thu, 24 Aug 2023 05:01:45 +0000",'
    b'"date_sent":null,"date_updated":"Thu, 24 Aug 2023 05:01:45 +0000","direction":"outbound-api","error_code":null,'
    b'"error_message":null,"from":"+15005550006","num_media":"0","num_segments":"1","price":null,"price_unit":null,'
    b'"messaging_service_sid":null,"sid":"%b","status":"queued","subresource_uris":{"media":"/2010-04-01/Media.json"},'
    b'"to":"+15558675310","uri":"/2010-04-01/Messages.json"}' % (ACCOUNT.encode(), SID.encode())
)
_ANSWER = b"HTTP/1.1 201 CREATED\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BODY) + _BODY

PAUSE = 0.15  # seconds
NUMBERED = re.compile(rb"nr\d+")
_REPLIES = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-8BITMIME\r\n250 SIZE 0\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Counting(asyncio.Protocol):
    """A connection that adds to its class's count."""

    count = 0

    @classmethod
    def report(cls) -> dict[str, Any]:
        return {"count": cls.count}

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport


class Http(Counting):
    """Takes any POST and answers like Twilio after "create message"."""

    def data_received(self, data: bytes) -> None:
        data = self._held + data
        while (head := data.find(b"\r\n\r\n")) >= 0:
            mark = data.lower().find(b"content-length:", 0, head)
            length = int(data[mark + 15 : data.index(b"\r\n", mark)]) if mark >= 0 else 0
            if len(data) < head + 4 + length:
                break
            self._taken(data[head + 4 : head + 4 + length])
            data = data[head + 4 + length :]
            self._transport.write(_ANSWER)
        self._held = data

    def _taken(self, form: bytes) -> None:
        Counting.count += 1


class Texts(Http):
    """Remembers when each text came, by the mark that the bench put into its body: nr and digits."""

    came: ClassVar[dict[str, float]] = {}

    @classmethod
    def report(cls) -> dict[str, Any]:
        return {"count": cls.count, "came": cls.came}

    def _taken(self, form: bytes) -> None:
        super()._taken(form)
        if found := NUMBERED.search(form):
            Texts.came.setdefault(found[0].decode(), time.monotonic())


class Smtp(Counting):
    """A sink with PIPELINING and CHUNKING: it answers 250 to all, 354 to DATA, and drops the content."""

    def __init__(self) -> None:
        super().__init__()
        self._content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        data = self._held + data
        answers: list[bytes] = []
        at = 0
        while (end := data.find(b"\r\n.\r\n" if self._content else b"\r\n", at)) >= 0:
            if self._content:
                self._content, beyond = False, end + 5
                answers.append(self._ended(data[at:end]))
            elif data.startswith(b"BDAT ", at):
                beyond = end + 2 + int(data[at + 5 : end].split()[0])
                if beyond > len(data):
                    break
                answers.append(self._ended(data[end + 2 : beyond]))
            else:
                beyond = end + 2
                answers.append(self._command(data[at : at + 4].upper()))
            at = beyond
        self._held = data[at:]
        if answers:
            self._transport.write(b"".join(answers))

    def _ended(self, content: bytes) -> bytes:
        Counting.count += 1
        return b"250 2.0.0 Ok: queued as 0\r\n"

    def _command(self, verb: bytes) -> bytes:
        self._content = verb == b"DATA"
        if self._content:
            return b"354 go\r\n"
        return _REPLIES.get(verb, b"250 ok\r\n")


class Letters(Smtp):
    """Remembers every Message-ID, and when the first and the last mail came."""

    ids: ClassVar[set[bytes]] = set()
    first = last = 0.0  # of the last run of mails; between two runs there is a PAUSE

    @classmethod
    def report(cls) -> dict[str, Any]:
        return {"count": cls.count, "distinct": len(cls.ids), "first": cls.first, "last": cls.last}

    def _ended(self, content: bytes) -> bytes:
        start = content.find(b"Message-I")  # Postfix writes Message-Id
        Letters.ids.add(content[start + 12 : content.find(b"\r\n", start)])
        now = time.monotonic()
        if now - Letters.last > PAUSE:
            Letters.first = now
        Letters.last = now
        return super()._ended(content)


class Stub:
    """One such server in a process of its own, for as long as the block lasts."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __enter__(self) -> Stub:
        command = [sys.executable, "-m", "bench.stub", self._kind]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._read())
        return self

    def count(self) -> int:
        """How many it has received since it started."""
        return int(self.report()["count"])

    def report(self) -> dict[str, Any]:
        """All that it remembers; times are of the machine's monotonic clock."""
        assert self._process.stdin
        self._process.stdin.write("report\n")
        self._process.stdin.flush()
        return dict(json.loads(self._read()))

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # closes its standard input, which ends it


async def _serve(kind: type[Counting]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(kind, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(kind.report()), flush=True)


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve({"http": Http, "texts": Texts, "smtp": Smtp, "letters": Letters}[sys.argv[1]]))
