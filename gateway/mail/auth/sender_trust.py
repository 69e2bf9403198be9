"""How far up the ladder a mail gets (R28): relay, secret address, DMARC, none. workers/mail_auth and `explain` climb.

What the transport and the database know about a mail is found out by whoever asks; here it is only judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, Literal

from gateway.errors import Refused
from gateway.mail.auth import authentication_results, dkim_verifier, dmarc, named_recipients
from gateway.mail.auth.authentication_results import Result
from gateway.mail.auth.dmarc import DmarcVerdict, Envelope
from gateway.mail.auth.dns import Resolver
from gateway.mail.auth.public_suffix import aligned
from gateway.mail.decode import mime
from gateway.mail.parse import author
from gateway.settings import Settings
from gateway.settings.values import Network

Proof = Literal["relay", "secret", "token", "dmarc"]
RUNGS: Final[dict[Proof, int]] = {"relay": 1, "secret": 2, "token": 2, "dmarc": 3}  # a token is as secret as an address
NONE: Final = 4


@dataclass(frozen=True, slots=True)
class SenderTrust:
    """The rung that a mail reached. `proof` is None on the last one; `later`: DNS may still say more; `signed`: the
    proof is a signature, which says nothing about this delivery."""

    proof: Proof | None
    reason: str
    later: bool = False
    signed: bool = False

    @property
    def rung(self) -> int:
        return RUNGS[self.proof] if self.proof else NONE


@dataclass(frozen=True, slots=True)
class KnownBeforeDns:
    """What was found out before DNS: the mail came from a trusted relay; it came to a secret posting address,
    that of the person whose mailbox is in From or not."""

    relay: bool = False
    posting: Literal["own", "foreign"] | None = None


def evaluate_trust(
    settings: Settings, resolver: Resolver, mail: bytes, came: Envelope, to: list[str], known: KnownBeforeDns
) -> SenderTrust:
    """`mail`: as it was sent to us, without what our door wrote above it. `to`: our addresses that it came to. Two
    authors, or one that cannot be told, prove nothing whatever else holds (R29)."""
    try:
        message = mime.parse(mail)
        domain = author.sender(message).rpartition("@")[2]
    except Refused as refused:
        return SenderTrust(None, str(refused))
    if known.relay:
        return SenderTrust("relay", "it came from a relay that is trusted")
    if known.posting == "own":
        return SenderTrust("secret", "it came to its writer's own secret address")
    if known.posting == "foreign":  # whoever has somebody's old address must not get through by another door
        return SenderTrust(None, "the secret address is old, or not that of the one in From")
    return _by_domain(settings, resolver, mail, message, came, to, domain)


def _by_domain(
    settings: Settings,
    resolver: Resolver,
    mail: bytes,
    message: "Message[Any, Any]",
    came: Envelope,
    to: list[str],
    domain: str,
) -> SenderTrust:
    """What the domain in From proves: by the word of our own mail server first, then by our own verdict. A pass of that
    server's that may rest on a signature which does not count is no pass, and we look ourselves."""
    said, doubt = _said_by_ours(settings, message, came), ""
    if authentication_results.dmarc_passes(said, domain):
        basis, doubt = _basis(settings, mail, message, said, domain, to)
        if basis != "doubt":
            reason = f"our own mail server says that DMARC passes for {domain}"
            return SenderTrust("dmarc", reason, signed=basis == "signature")
    elif any(one.method == "dmarc" and one.result == "fail" for one in said):
        return SenderTrust(None, f"our own mail server says that DMARC fails for {domain}")
    if came.handed or _is_own(settings, came):  # SPF would judge our own mail server, which our domain's SPF names
        came = came._replace(peer="")
    found = _judged(
        dmarc.verify(mail, domain, came, to, resolver, named_recipients.read_aliases(settings.mail_aliases))
    )
    if found.proof or found.later or not doubt:
        return found
    return SenderTrust(None, f"our own mail server says that DMARC passes for {domain}, but {doubt}")


def _judged(verdict: DmarcVerdict) -> SenderTrust:
    if verdict.result == "pass":
        return SenderTrust("dmarc", verdict.reason, signed=verdict.signed)
    return SenderTrust(None, verdict.reason, verdict.result == "later")


def _said_by_ours(settings: Settings, message: "Message[Any, Any]", came: Envelope) -> list[Result]:
    """Anybody may write our name into a field. It counts from where our own mail server hands mails over, which takes
    such fields of others off (RFC 8601, 5). Its no counts as its yes does."""
    if not settings.mail_authserv_ids or not _is_own(settings, came):
        return []
    return authentication_results.ours(message, settings.mail_authserv_ids) or []


def _basis(
    settings: Settings, mail: bytes, message: "Message[Any, Any]", said: list[Result], domain: str, to: list[str]
) -> tuple[Literal["spf", "signature", "doubt"], str]:
    """What the pass of our own server rests on (R56): SPF of this very delivery, or signatures of which each that it
    can rest on covers what it must; else the doubt in words.

    No such signature in the mail: then the pass can only come from SPF, unless the server says that one held."""
    said = [*said, *authentication_results.above_received(message, settings.mail_authserv_ids)]
    if authentication_results.spf_passes(said, domain):
        return "spf", ""
    aliases = named_recipients.read_aliases(settings.mail_aliases)
    fault = dkim_verifier.find_fault(mail, to, aliases, lambda signer: aligned(signer, domain))
    if fault is None and authentication_results.dkim_passes(said, domain):
        return "doubt", "the signature that it speaks of is not in the mail any more"
    if fault:
        return "doubt", f"by a signature that does not count: {fault}"
    return ("spf" if fault is None else "signature"), ""


def _is_own(settings: Settings, came: Envelope) -> bool:
    """Whether a mail server of ours hands it over: by its address, or over a socket of this machine."""
    return (came.handed and not came.peer) or _within(came.peer, settings.mail_authserv_from)


def trusted(settings: Settings, peer: str) -> bool:
    """Whether mail from there counts as from its From address: the first rung."""
    return _within(peer, settings.mail_trust)


def known_relay(settings: Settings, peer: str) -> bool:
    """Whether the operator named this server: as trusted, or as one of ours that hands mail over."""
    return trusted(settings, peer) or _hands_over(settings, peer)


def _hands_over(settings: Settings, peer: str) -> bool:
    return bool(settings.mail_authserv_ids) and _within(peer, settings.mail_authserv_from)


def _within(peer: str, networks: Sequence[Network]) -> bool:
    """An address of IPv4 that came by a socket of IPv6 counts as what it is."""
    try:
        here = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    plain = here.ipv4_mapped or here if isinstance(here, IPv6Address) else here
    return any(plain in network for network in networks)
