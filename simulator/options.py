"""What a simulator is started with. It refuses to listen to, or call, anything that is not this machine."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simulator.local import Address, is_local, is_local_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Times are in seconds. Port 0 lets the system choose; `Running` tells what it chose."""

    account_sid: str
    auth_token: str | tuple[str, ...]  # any of them opens the REST API, the first one signs
    webhook_url: str  # https://…/sms/inbound, exactly as it is signed
    numbers: tuple[str, ...]
    listen: Address = ("127.0.0.1", 8001)
    smtp_listen: Address = ("127.0.0.1", 8025)
    mail_target: Address = ("127.0.0.1", 2525)
    mail_domain: str = "mail.example"
    fallback_url: str | None = None
    call_hooks: bool = True  # False: incoming texts are only in the list, as without a web hook
    connect: str | None = None  # http://host:port where web hooks really go when their public URL is elsewhere
    messaging_service_sid: str | None = None
    api_keys: tuple[tuple[str, str], ...] = ()
    company: str = "Critter Demo Co"
    people: Mapping[str, str] = field(default_factory=dict)  # phone or mailbox → whose it is, for the page
    ledger: Path | None = None  # None: a temporary file that ends with the process
    fsync: bool = False
    callbacks: bool = True
    callback_connections: int = 32
    sent_after: float = 0.3
    delivered_after: float = 0.6
    hook_timeout: float = 15.0
    hook_retry_after: float = 1.0
    price: float = 0.0083  # a segment, in USD
    keep_messages: int = 200_000
    keep_mails: int = 20_000
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("listen", "smtp_listen", "mail_target"):
            host, port = getattr(self, name)
            if not is_local(host):
                raise ValueError(f"simulator {name} {host}:{port} is not on this machine")
        if self.connect and not is_local_url(self.connect):
            raise ValueError(f"simulator connect {self.connect} is not on this machine")
        if not self.numbers:
            raise ValueError("simulator numbers: at least one is needed")

    @property
    def tokens(self) -> tuple[str, ...]:
        """The valid auth tokens, first the one that signs."""
        return (self.auth_token,) if isinstance(self.auth_token, str) else self.auth_token

    def logins(self) -> frozenset[str]:
        """The Authorization headers that the REST API accepts."""
        pairs = [(self.account_sid, token) for token in self.tokens] + list(self.api_keys)
        return frozenset("Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode() for name, secret in pairs)
