"""The DNS records that mail of this installation needs, each compared with what exists; `critter check mail` shows
them. `Ask` is how DNS is asked: `ask_dns` does it for real, tests use a zone of their own."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final, Literal
from urllib.parse import urlsplit

import dns.exception
import dns.resolver
import dns.reversename

from gateway.carriers.smtp.provider_profiles import Terms, provider_terms
from gateway.errors import Refused
from gateway.settings import Settings

State = Literal["ok", "missing", "wrong", "not asked"]
Ask = Callable[[str, str], Sequence[str]]  # (name, type) → the records as text, () for none; Refused: DNS is away
PATIENCE: Final = 5.0  # seconds
LOOKUPS: Final = 10  # RFC 7208 4.6.4
SPF_TERM: Final = re.compile(r"[-+~?]?(include|a|mx|ip4|ip6|exists|redirect)(?:[:=/]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """One record: what to enter (`value`), its state, and what that means or what to do."""

    name: str
    type: str
    value: str
    state: State
    note: str


def ask_dns(name: str, kind: str) -> Sequence[str]:
    """The records on the Internet. TXT strings are joined (RFC 7208 3.3)."""
    resolver = dns.resolver.Resolver()
    try:
        answer = resolver.resolve(name, kind, lifetime=PATIENCE, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except dns.exception.DNSException as problem:
        raise Refused(f"DNS does not answer ({type(problem).__name__}): look at this machine's resolver") from None
    if kind == "TXT":
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
    return [record.to_text() for record in answer]


def records(settings: Settings, ask: Ask | None, selectors: Sequence[str] = ()) -> Iterator[Record]:
    """All records that are needed, in the order in which to enter them. Without `ask` nothing is looked up.
    `selectors`: those of keys that sign here; else the relay's own."""
    terms = provider_terms(settings)
    domain = terms.sender.rpartition("@")[2] if terms.sender else settings.mail_domain
    yield _held(ask, settings.mail_domain, "MX", _wanted_mx(settings), lambda found: _mx(found, settings, terms))
    spf = _wanted_spf(settings, terms)
    yield _held(ask, domain, "TXT", spf, lambda found: _spf(found, terms, settings, ask))
    for selector in selectors or terms.profile.selectors:
        yield _dkim(ask, f"{selector}._domainkey.{domain}", bool(selectors), terms)
    if not selectors and not terms.profile.selectors:
        note = "ask who runs the relay for its selector (critter check mail --dkim SELECTOR), or sign here"
        yield Record(f"SELECTOR._domainkey.{domain}", "TXT", "v=DKIM1; k=rsa; p=…", "not asked", note)
    yield _held(ask, f"_dmarc.{domain}", "TXT", _WANTED_DMARC, lambda found: _dmarc(found, domain, ask))
    yield _pointer(settings, terms, ask)


Verdict = tuple[State, str]
_WANTED_DMARC: Final = "v=DMARC1; p=quarantine"


def _held(ask: Ask | None, name: str, kind: str, value: str, judge: Callable[[Sequence[str]], Verdict]) -> Record:
    state, note = judge(ask(name, kind)) if ask else ("not asked", "simulated: nothing leaves this machine")
    return Record(name, kind, value, state, note)


def _wanted_mx(settings: Settings) -> str:
    return f"10 {urlsplit(settings.public_url).hostname or settings.mail_domain}."


def _mx(found: Sequence[str], settings: Settings, terms: Terms) -> Verdict:
    """An MX elsewhere is no mistake: the company's mail servers may forward our mail. The round trip proves it."""
    hosts = [one.split()[-1].rstrip(".").lower() for one in found]
    if not hosts:
        return "missing", f"nobody can write to {settings.mail_domain}: enter it, or give {terms.profile.forward}"
    if hosts == [""]:
        return "wrong", "it says that the domain takes no mail (RFC 7505): replace it"
    ours = urlsplit(settings.public_url).hostname
    if ours in hosts:
        return "ok", f"leads to {', '.join(hosts)}"
    return "ok", f"leads to {', '.join(hosts)}, which must hand it on to our door: {terms.profile.forward}"


def _wanted_spf(settings: Settings, terms: Terms) -> str:
    return f"v=spf1 {terms.profile.spf or _term(_relay_host(settings))} -all"


def _term(host: str) -> str:
    """The term that names one server in an SPF record."""
    try:
        return f"ip{ip_address(host).version}:{host}"
    except ValueError:
        return f"a:{host}"


def _spf(found: Sequence[str], terms: Terms, settings: Settings, ask: Ask | None) -> Verdict:
    mine = [one for one in found if one.lower().split()[:1] == ["v=spf1"]]
    if not mine:
        return "missing", "without it the relay may not send for the domain: enter it"
    if len(mine) > 1:
        return "wrong", f"there are {len(mine)}, and then none counts (RFC 7208 4.5): make one of them"
    words = mine[0].lower().split()[1:]
    if words and words[-1] in ("all", "+all"):
        return "wrong", "it lets everybody send for the domain: end it with -all"
    if sum(1 for word in words if _costs(word)) > LOOKUPS:
        return "wrong", f"it asks for more than {LOOKUPS} lookups, and then fails (RFC 7208 4.6.4): shorten it"
    if terms.profile.spf:
        there = terms.profile.spf in [word.lstrip("+") for word in words]
        return ("ok", mine[0]) if there else ("wrong", f"add {terms.profile.spf} before the word with all: {mine[0]}")
    return _covers(words, mine[0], _relay_host(settings), ask)


def _costs(word: str) -> bool:
    found = SPF_TERM.match(word)
    return found is not None and found[1].lower() not in ("ip4", "ip6")


def _covers(words: Sequence[str], record: str, host: str, ask: Ask | None) -> Verdict:
    """Whether it names the relay itself. An include may cover it too: only the relay's owner can say."""
    addresses = _addresses(host, ask) if ask else ()
    plain = [word.lstrip("+") for word in words]
    if _term(host) in plain or any(_within(address, word) for address in addresses for word in plain):
        return "ok", record
    if any(word.startswith(("include:", "redirect=", "mx", "a:", "exists:")) or word == "a" for word in plain):
        return "ok", f"{record} (whether that covers what {host} sends from, its owner knows)"
    return "wrong", f"it does not name the relay: add {_term(host)}: {record}"


def _within(address: str, word: str) -> bool:
    kind, _, network = word.partition(":")
    try:
        return kind in ("ip4", "ip6") and ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False


def _dkim(ask: Ask | None, name: str, own: bool, terms: Terms) -> Record:
    """Microsoft's keys are behind a CNAME, which a resolver follows by itself."""
    where = "critter dkim show has it" if own else "the relay's console makes it"
    elsewhere = not own and terms.profile.spf.endswith("outlook.com")
    value = "CNAME to …onmicrosoft.com" if elsewhere else "v=DKIM1; k=rsa; p=…"

    def judge(found: Sequence[str]) -> Verdict:
        keys = [one for one in found if re.search(r"(?:^|;)\s*p=", one)]
        if not keys:
            return "missing", f"receivers cannot prove our mails: {where}"
        if all(re.search(r"(?:^|;)\s*p=\s*(?:;|$)", one) for one in keys):
            return "wrong", f"the key is revoked (its p= is empty): {where}"
        return "ok", f"a key of {max(map(len, keys))} characters"

    return _held(ask, name, "TXT", value, judge)


def _dmarc(found: Sequence[str], domain: str, ask: Ask | None) -> Verdict:
    """The domain's own record, or that of a domain above it (RFC 7489 6.6.3)."""
    above = domain
    mine = [one for one in found if one.lower().replace(" ", "").startswith("v=dmarc1")]
    while not mine and ask and above.count(".") > 1:
        above = above.partition(".")[2]
        mine = [one for one in ask(f"_dmarc.{above}", "TXT") if one.lower().replace(" ", "").startswith("v=dmarc1")]
    if not mine:
        return "missing", "large receivers want one: enter it, with p=none to begin with"
    if len(mine) > 1:
        return "wrong", "there are several, and then none counts: make one of them"
    if not re.search(r";\s*p\s*=\s*(none|quarantine|reject)", mine[0], re.IGNORECASE):
        return "wrong", f"it has no policy: add p=none or p=quarantine: {mine[0]}"
    return "ok", mine[0] if above == domain else f"{mine[0]} (of {above})"


def _pointer(settings: Settings, terms: Terms, ask: Ask | None) -> Record:
    """Receivers check that the client's address has a name that resolves back to it. With Google and Microsoft that is
    their task."""
    host = _relay_host(settings)
    if terms.profile.spf:
        return Record(host, "PTR", host, "ok", "the vendor's own servers send")
    if ask is None:
        return Record(host, "PTR", host, "not asked", "simulated: nothing leaves this machine")
    for address in _addresses(host, ask):
        if not ip_address(address).is_global:
            note = "a relay in the house: its own way out needs the PTR record"
            return Record(address, "PTR", host, "not asked", note)
        names = [one.rstrip(".") for one in ask(dns.reversename.from_address(address).to_text(), "PTR")]
        if not names:
            return Record(address, "PTR", host, "missing", "many receivers refuse it so: its owner enters it")
        if not any(address in _addresses(name, ask) for name in names):
            return Record(address, "PTR", host, "wrong", f"{names[0]} does not lead back to it: its owner repairs it")
    return Record(host, "PTR", host, "ok", "its name leads back to it")


def _addresses(host: str, ask: Ask) -> Sequence[str]:
    try:
        return [str(ip_address(host))]
    except ValueError:
        return [*ask(host, "A"), *ask(host, "AAAA")]


def _relay_host(settings: Settings) -> str:
    return urlsplit(settings.smtp_relay).hostname or ""
