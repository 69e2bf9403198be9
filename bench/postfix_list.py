"""A Postfix whose alias stands for thousands of mailboxes, delivered one recipient at a time: the peer of P4."""

from __future__ import annotations

import smtplib
from pathlib import Path

from bench.postfix import Postfix

LIST = "all@mail.example"
MAIN = """
relayhost = [127.0.0.1]:{sink}
alias_maps = texthash:{folder}/config/aliases
default_destination_recipient_limit = 1
smtp_connection_cache_destinations = [127.0.0.1]:{sink}
smtpd_client_restrictions = permit
"""
MASTER = """
smtp unix - - n - 100 smtp
scache unix - - n - 1 scache
"""
CONTENT = (
    b"From: Kim Lee <kim@mail.example>\r\nTo: all@mail.example\r\nSubject: starting the ACME proposal\r\n\r\n"
    + b"The quick brown fox jumps over the lazy dog and so on.\r\n" * 20
)


class PostfixList(Postfix):
    """Postfix with that alias. Its connections to the sink are kept, as far as Postfix keeps any."""

    def __init__(self, sink: int, members: int) -> None:
        super().__init__()
        self._sink, self._members = sink, members

    def configure(self, config: Path) -> None:
        super().configure(config)
        place = {"sink": self._sink, "folder": self.folder}
        _append(config / "main.cf", MAIN.format(**place))
        _append(config / "master.cf", MASTER)
        people = "".join(f"p{number}@corp.example\n" for number in range(1, self._members + 1))
        (config / "members").write_text(people)
        (config / "aliases").write_text(f"all :include:{config / 'members'}\n")

    def submit(self) -> None:
        """One mail to the list: the peer of our one accepted text."""
        with smtplib.SMTP("127.0.0.1", self.port, local_hostname="mail.example") as client:
            client.sendmail("kim@mail.example", [LIST], CONTENT)


def _append(path: Path, lines: str) -> None:
    path.write_text(path.read_text() + lines)
