"""Evaluates how surely a mail is from whom it says (R28): by relay, secret address, DMARC, or not at all.

workers/mail_auth and `critter explain` call it. The caller finds out what the transport and the database know about a
mail; this module only judges it.
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
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.setting_types.values import Network
from gateway.settings import Settings

Proof = Literal["relay", "secret", "token", "dmarc"]
RUNGS: Final[dict[Proof, int]] = {"relay": 1, "secret": 2, "token": 2, "dmarc": 3}  # a token is as secret as an address
NONE: Final = 4


@dataclass(frozen=True, slots=True)
class SenderTrust:
    """How far a mail is trusted. `proof` is None when nothing proves it; `later`: DNS may still prove it; `signed`: the
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
    """What is known before DNS is asked: whether the mail came from a trusted relay, and whether it came to a secret
    posting address, which belongs to the person whose mailbox is in From ("own") or not ("foreign")."""

    relay: bool = False
    posting: Literal["own", "foreign"] | None = None


def evaluate_trust(
    settings: Settings, resolver: Resolver, mail: ReceivedMail, came: Envelope, to: list[str], known: KnownBeforeDns
) -> SenderTrust:
    """The trust in a mail. `to`: our addresses that it came to. Two authors, or an unclear one, prove nothing, whatever
    else holds (R29)."""
    try:
        domain = mail.sender.rpartition("@")[2]
    except Refused as refused:
        return SenderTrust(None, str(refused))
    if known.relay:
        return SenderTrust("relay", "it came from a relay that is trusted")
    if known.posting == "own":
        return SenderTrust("secret", "it came to its writer's own secret address")
    if known.posting == "foreign":  # somebody with an old address must not get through by another proof
        return SenderTrust(None, "the secret address is old, or not that of the one in From")
    return _by_domain(settings, resolver, mail, came, to, domain)


def _by_domain(
    settings: Settings,
    resolver: Resolver,
    mail: ReceivedMail,
    came: Envelope,
    to: list[str],
    domain: str,
) -> SenderTrust:
    """What the domain in From proves: first by the results of our own mail server, then by our own check. When that
    server's pass may rest on a signature that does not count, we check ourselves."""
    said, doubt = _said_by_ours(settings, mail.message, came), ""
    if authentication_results.dmarc_passes(said, domain):
        basis, doubt = _basis(settings, mail, said, domain, to)
        if basis != "doubt":
            reason = f"our own mail server says that DMARC passes for {domain}"
            return SenderTrust("dmarc", reason, signed=basis == "signature")
    elif any(one.method == "dmarc" and one.result == "fail" for one in said):
        return SenderTrust(None, f"our own mail server says that DMARC fails for {domain}")
    if came.handed or _is_own(settings, came):  # SPF would check our own mail server, which our domain's SPF allows
        came = came._replace(peer="")
    found = _judged(
        dmarc.verify(mail.octets, domain, came, to, resolver, named_recipients.read_aliases(settings.mail_aliases))
    )
    if found.proof or found.later or not doubt:
        return found
    return SenderTrust(None, f"our own mail server says that DMARC passes for {domain}, but {doubt}")


def _judged(verdict: DmarcVerdict) -> SenderTrust:
    if verdict.result == "pass":
        return SenderTrust("dmarc", verdict.reason, signed=verdict.signed)
    return SenderTrust(None, verdict.reason, verdict.result == "later")


def _said_by_ours(settings: Settings, message: "Message[Any, Any]", came: Envelope) -> list[Result]:
    """The results of our own mail server. Anybody can write its name into a field, so they count only when that server
    handed the mail over, because it removes such fields of others (RFC 8601, 5). Its fail counts like its pass."""
    if not settings.mail_authserv_ids or not _is_own(settings, came):
        return []
    return authentication_results.ours(message, settings.mail_authserv_ids) or []


def _basis(
    settings: Settings, mail: ReceivedMail, said: list[Result], domain: str, to: list[str]
) -> tuple[Literal["spf", "signature", "doubt"], str]:
    """What the pass of our own server rests on (R56): SPF of this very delivery, or signatures that all cover what they
    must; else the doubt in words.

    Without such a signature in the mail, the pass can only come from SPF, unless the server says that a signature
    was valid."""
    said = [*said, *authentication_results.above_received(mail.message, settings.mail_authserv_ids)]
    if authentication_results.spf_passes(said, domain):
        return "spf", ""
    aliases = named_recipients.read_aliases(settings.mail_aliases)
    fault = dkim_verifier.find_fault(mail.octets, to, aliases, lambda signer: aligned(signer, domain))
    if fault is None and authentication_results.dkim_passes(said, domain):
        return "doubt", "the signature that it speaks of is not in the mail any more"
    if fault:
        return "doubt", f"by a signature that does not count: {fault}"
    return ("spf" if fault is None else "signature"), ""


def _is_own(settings: Settings, came: Envelope) -> bool:
    """Whether our own mail server hands the mail over: by its address, or over a socket of this machine."""
    return (came.handed and not came.peer) or _within(came.peer, settings.mail_authserv_from)


def trusted(settings: Settings, peer: str) -> bool:
    """Whether mail from this server counts as from its From address (rung 1)."""
    return _within(peer, settings.mail_trust)


def known_relay(settings: Settings, peer: str) -> bool:
    """Whether the operator named this server: as trusted, or as one of ours that hands mail over."""
    return trusted(settings, peer) or _hands_over(settings, peer)


def _hands_over(settings: Settings, peer: str) -> bool:
    return bool(settings.mail_authserv_ids) and _within(peer, settings.mail_authserv_from)


def _within(peer: str, networks: Sequence[Network]) -> bool:
    """Whether an address is in these networks. An IPv4 address that came by an IPv6 socket counts as IPv4."""
    try:
        here = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    plain = here.ipv4_mapped or here if isinstance(here, IPv6Address) else here
    return any(plain in network for network in networks)
