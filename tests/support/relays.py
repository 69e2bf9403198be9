"""Relays that hold us to their rules, and answer in their vendors' words when we break one: Google's and Microsoft's.

aiosmtpd speaks the protocol; TLS, connections, senders, rates, days and tokens are judged here.
"""

import asyncio
import base64
import json
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Rules:
    """What the relay insists on; None is no rule."""

    name: str = "google"
    senders: tuple[str, ...] | None = None  # whole addresses, or @domains
    hello: tuple[str, ...] | None = None  # domains that EHLO may name
    connections: int | None = None
    rate: tuple[int, float] | None = None  # mails, in seconds
    daily: int | None = None
    known: bool = True  # our address is registered
    tokens: "TokenServer | None" = None
    user: str = ""
    certificate: bool = False
    deliver: Callable[["Mail"], None] | None = None  # what becomes of a mail that was taken


@dataclass
class Mail:
    sender: str
    recipient: str
    content: bytes

    @property
    def parsed(self) -> Any:
        return message_from_bytes(self.content, policy=policy.default)


# The words are those of the vendors' pages, as servers wrap them.
UNKNOWN = {
    "google": "550-5.7.1 Invalid credentials for relay [127.0.0.1]. The IP address you've\r\n"
    "550-5.7.1 registered in your G Suite SMTP Relay service doesn't match domain of\r\n"
    "550 5.7.1 the account this email is being sent from. - gsmtp",
    "m365": "550 5.7.64 TenantAttribution; Relay Access Denied SMTP",
}
OTHER_SENDER = {
    "google": "550 5.7.1 Mail relay denied [127.0.0.1]. Invalid credentials for relay for one of the domains - gsmtp",
    "m365": "554 5.2.252 SendAsDenied; kim@corp.example not allowed to send as post@corp.example; "
    "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
}
TOO_FAST = {
    "google": "421-4.7.28 Our system has detected an unusual rate of mail\r\n421 4.7.28 from your address. gsmtp",
    "m365": "451 4.7.500 Server busy. Please try again later from [127.0.0.1]. (S77719)",
}
USED_UP = {
    "google": "550 5.4.5 Daily SMTP relay limit exceeded for user. - gsmtp",
    "m365": "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due "
    "to a permanent exception",
}


class RuleCheckingRelay:
    """aiosmtpd's handler. What it took, and how often it had to refuse, by the words it began with."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.mails: list[Mail] = []
        self.refused: list[str] = []
        self.open = self.most = self.logins = 0
        self.moments: deque[float] = deque()

    def _no(self, words: str) -> str:
        self.refused.append(words[:12])
        return words

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, name: str, replies: list[str]) -> Any:  # noqa: N802
        session.host_name = name
        return [*replies[:-1], "250-PIPELINING", replies[-1]]

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        rules = self.rules
        if rules.connections and server.number > rules.connections:
            return self._no("432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending")
        peer = server.transport.get_extra_info("peercert")
        if not rules.known or (rules.certificate and not peer):
            return self._no(UNKNOWN[rules.name])
        if rules.hello is not None and session.host_name not in rules.hello:
            return self._no(OTHER_SENDER[rules.name])
        envelope.mail_from = address
        return "250 2.1.0 Sender OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Microsoft judges senders and days only now."""
        rules, mail = self.rules, Mail(envelope.mail_from, envelope.rcpt_tos[0], envelope.original_content)
        written = mail.parsed["From"].addresses[0].addr_spec
        if not (self._may(mail.sender) and self._may(written)):
            return self._no(OTHER_SENDER[rules.name])
        if rules.daily is not None and len(self.mails) >= rules.daily:
            return self._no(USED_UP[rules.name])
        if rules.rate and self._too_fast(*rules.rate):
            return self._no(TOO_FAST[rules.name])
        self.mails.append(mail)
        if rules.deliver:
            asyncio.get_running_loop().run_in_executor(None, rules.deliver, mail)
        return "250 2.0.0 OK <1@relay.example> [InternalId=1, Hostname=relay.example] Queued mail for delivery"

    def _may(self, address: str) -> bool:
        allowed = self.rules.senders
        return allowed is None or address in allowed or f"@{address.rpartition('@')[2]}" in allowed

    def _too_fast(self, most: int, seconds: float) -> bool:
        now = time.monotonic()
        while self.moments and self.moments[0] <= now - seconds:
            self.moments.popleft()
        if len(self.moments) >= most:
            return True
        self.moments.append(now)
        return False

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:  # noqa: N802
        said = base64.b64decode(args[1]).decode()
        user, token = said.removesuffix("\1\1").split("\1auth=Bearer ")
        assert self.rules.tokens is not None
        if user == f"user={self.rules.user}" and self.rules.tokens.good(token):
            self.logins += 1
            return AuthResult(success=True)
        more = base64.b64encode(b'{"status":"401","schemes":"Bearer","scope":"https://outlook.office365.com"}')
        await server.push(f"334 {more.decode()}")
        await server._reader.readline()
        return AuthResult(
            success=False, handled=False, message=self._no("535 5.7.3 Authentication unsuccessful [relay.example]")
        )


LONGEST = 12288  # octets of an AUTH command, RFC 4954 4


class Counted(SMTP):
    """Knows which of the open connections it is. A line with a token is longer than aiosmtpd's own limits."""

    number = 0
    line_length_limit = LONGEST

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.command_size_limits = defaultdict(lambda: LONGEST)

    def connection_made(self, transport: Any) -> None:
        if not self.number:
            self.event_handler.open += 1
            self.number = self.event_handler.open
            self.event_handler.most = max(self.event_handler.most, self.number)
        super().connection_made(transport)

    def connection_lost(self, error: Any) -> None:
        super().connection_lost(error)
        if self.transport is None or self.number:
            self.event_handler.open -= 1


class Enforcing(Controller):
    def factory(self) -> SMTP:
        return Counted(self.handler, **self.SMTP_kwargs)


@contextmanager
def enforcing(rules: Rules, tls: ssl.SSLContext, port: int) -> Iterator[RuleCheckingRelay]:
    """The relay at that port of this machine, with STARTTLS."""
    judge = RuleCheckingRelay(rules)
    more = {"auth_required": True, "auth_exclude_mechanism": ["LOGIN", "PLAIN"]} if rules.tokens else {}
    server = Enforcing(judge, hostname="127.0.0.1", port=port, tls_context=tls, require_starttls=True, **more)
    server.start()
    try:
        yield judge
    finally:
        server.stop()


@dataclass
class TokenServer:
    """The token endpoint of one application; counts what it gave out and forgets on demand."""

    client_id: str = "an-application"
    client_secret: str = "its-secret"
    life: int = 3599
    status: int = 0  # answers with this instead
    given: list[str] = field(default_factory=list)
    ends: dict[str, float] = field(default_factory=dict)
    useless: bool = False  # what it gives opens nothing
    url: str = ""

    def good(self, token: str) -> bool:
        return not self.useless and self.ends.get(token, 0.0) > time.monotonic()

    def revoke(self) -> None:
        self.ends.clear()

    def answer(self, form: dict[str, list[str]]) -> tuple[int, dict[str, object]]:
        if self.status:
            return self.status, {"error": "temporarily_unavailable"}
        if form["client_id"] != [self.client_id] or form["client_secret"] != [self.client_secret]:
            return 401, {
                "error": "invalid_client",
                "error_description": "AADSTS7000215: Invalid client secret provided.",
            }
        if form["grant_type"] != ["client_credentials"] or form["scope"] != ["https://outlook.office365.com/.default"]:
            return 400, {"error": "invalid_scope", "error_description": "AADSTS1002012"}
        token = f"eyJ0eXAi.{len(self.given)}." + "x" * 1500
        self.given.append(token)
        self.ends[token] = time.monotonic() + self.life
        return 200, {
            "token_type": "Bearer",
            "expires_in": self.life,
            "ext_expires_in": self.life,
            "access_token": token,
        }


@contextmanager
def giving_tokens(**more: Any) -> Iterator[TokenServer]:
    tokens = TokenServer(**more)

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = tokens.answer(form)
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *words: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    tokens.url = f"http://127.0.0.1:{server.server_port}/tenant/oauth2/v2.0/token"
    try:
        yield tokens
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Papers:
    """An authority that both sides trust: `pem` is its own certificate, `ours` what a client shows."""

    pem: Path
    ours: Path
    server: ssl.SSLContext


def papers(folder: Path) -> Papers:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    root = _certificate(name, name, key, key, authority=True)
    (folder / "root.pem").write_bytes(_pem(root))
    for owner in ("relay", "ours"):
        own = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{owner}.example")])
        secret = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{owner}.pem").write_bytes(_pem(_certificate(subject, name, own, key)) + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "relay.pem")
    server.load_verify_locations(folder / "root.pem")
    server.verify_mode = ssl.CERT_OPTIONAL
    return Papers(folder / "root.pem", folder / "ours.pem", server)


def _certificate(subject: Any, issuer: Any, key: Any, signer: Any, authority: bool = False) -> x509.Certificate:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    )
    return made.sign(signer, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
