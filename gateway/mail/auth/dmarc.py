"""Evaluates DMARC (RFC 7489): whether a signature or SPF of the organisation in From passes, and it publishes a policy.

The libraries verify one mechanism each; alignment is decided here. authheaders would decide it, too, but reads domains
only up to a hyphen (so that corp.example-evil.com is taken for corp.example) and checks only the first signature.
sender_trust.py calls it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal, NamedTuple

from gateway.mail.auth import dkim_verifier, spf
from gateway.mail.auth.dkim_verifier import Signature
from gateway.mail.auth.dns import BoundedResolver, DnsUnavailable, Resolver
from gateway.mail.auth.public_suffix import aligned, organisation

SECONDS: Final = 10.0  # the last DNS question about one mail must begin within them


class Envelope(NamedTuple):
    """How a mail came: from which IP address, with which HELO name and envelope sender; empty when not known. `handed`:
    a mail server on our side delivered it over LMTP."""

    peer: str = ""
    helo: str = ""
    sender: str = ""
    handed: bool = False


class DmarcPolicy(NamedTuple):
    """What the domain in From publishes about alignment: the same domain (strict), or the same organisation."""

    strict_dkim: bool
    strict_spf: bool


class DmarcVerdict(NamedTuple):
    """`later`: DNS did not answer, so that nothing is known yet. `reason`: in words, without addresses. `signed`: the
    mail passes by a signature, which says nothing about this delivery."""

    result: Literal["pass", "fail", "none", "later"]
    reason: str
    signed: bool = False


def verify(
    mail: bytes,
    domain: str,
    envelope: Envelope,
    ours: Collection[str],
    resolver: Resolver,
    aliases: Mapping[str, str] = dkim_verifier.NO_ALIASES,
) -> DmarcVerdict:
    """Whether the domain in From authenticates a mail. `ours`: our addresses that it came to; `aliases`: which words at
    our domain other addresses stand for.

    One mechanism that passes is enough, even when DNS did not answer about another. No answer is never a pass."""
    hurried = BoundedResolver(resolver, SECONDS)
    try:
        policy = _policy(domain, hurried)
    except DnsUnavailable:
        return DmarcVerdict("later", f"the DNS of {domain} does not answer")
    if policy is None:
        return DmarcVerdict("none", f"{domain} publishes no DMARC policy")
    strict = policy.strict_dkim
    found = dkim_verifier.signatures(mail, ours, hurried, lambda signer: aligned(signer, domain, strict), aliases)
    signed = _signed(found, domain)
    if signed.result == "pass":
        return signed
    sent = _sent(domain, envelope, policy, hurried)
    if sent.result == "pass":
        return sent
    either: Literal["later", "fail"] = "later" if "later" in (signed.result, sent.result) else "fail"
    return DmarcVerdict(either, f"{signed.reason}; {sent.reason}")


def _policy(domain: str, resolver: Resolver) -> DmarcPolicy | None:
    """The domain's own record, else that of its organisation (6.6.3). Two records at one name count as none."""
    for name in dict.fromkeys((domain, organisation(domain))):
        texts = resolver.ask(f"_dmarc.{name}", "TXT").records
        records = [tags for text in texts if isinstance(text, bytes) and (tags := _tags(text))]
        if len(records) > 1:
            return None
        if records:
            return DmarcPolicy(records[0].get("adkim") == "s", records[0].get("aspf") == "s")
    return None


def _tags(text: bytes) -> dict[str, str] | None:
    """The tags of a DMARC record; None for any other text. The version comes first, and the policy must be there."""
    pieces = [each.partition("=") for each in text.decode("ascii", "replace").split(";")]
    tags = {name.strip().lower(): value.strip().lower() for name, equals, value in pieces if equals}
    first = next(iter(tags.items()), None)
    return tags if first == ("v", "dmarc1") and ("p" in tags or "rua" in tags) else None


def _signed(found: Iterable[Signature], domain: str) -> DmarcVerdict:
    later, fault = False, f"{domain} did not sign it"
    try:
        for signature in found:
            if not signature.fault:
                return DmarcVerdict(
                    "pass", f"signed by {signature.domain}, and {domain} has a DMARC policy", signed=True
                )
            fault = f"the signature of {signature.domain} does not count: {signature.fault}"
    except DnsUnavailable:
        later, fault = True, "the key of its signature could not be looked up"
    return DmarcVerdict("later" if later else "fail", fault)


def _sent(domain: str, envelope: Envelope, policy: DmarcPolicy, resolver: Resolver) -> DmarcVerdict:
    """SPF counts only for the envelope sender, and only when that belongs to the organisation in From."""
    of = envelope.sender.rpartition("@")[2].lower()
    if not of or not envelope.peer:
        return DmarcVerdict("fail", "its way here is not known" if of else "it has no envelope sender")
    if not aligned(of, domain, policy.strict_spf):
        return DmarcVerdict("fail", "its envelope sender is of another domain")
    try:
        result = spf.check(envelope.peer, envelope.sender, envelope.helo, resolver)
    except DnsUnavailable:
        return DmarcVerdict("later", "SPF could not be looked up")
    if result == "pass":
        return DmarcVerdict("pass", f"sent by a server of {of} (SPF), and {domain} has a DMARC policy")
    return DmarcVerdict("fail", f"SPF of {of} says {result}")
