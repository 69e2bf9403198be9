"""Parsers that turn the text of one setting into a value, or raise ValueError that says what was expected; Settings
uses them."""

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import parse_qs, urlsplit

from gateway.security.push_keys import read_private
from gateway.security.standard_webhooks import key_of
from gateway.sms import destinations
from gateway.typed_input import ascii_domain

Network = IPv4Network | IPv6Network
Place = tuple[str, int] | str  # where something listens: a host and a port, or the path of a socket

# The ranges reserved for documentation (RFC 5737): no real machine has such an address, so a rehearsal may use them
# between network namespaces.
REHEARSAL = tuple(ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))

HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
BASE_URL = re.compile(rf"https?://{HOST}(?::\d{{1,5}})?(?:/[A-Za-z0-9._~/-]*)?")
LISTEN = re.compile(rf"({HOST}):(\d{{1,5}})")
RELAY = re.compile(rf"(?:smtp|smtps|smtp\+starttls)://(?:[^@/\s?#]*@)?{HOST}(?::\d{{1,5}})?/?")
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
BEARER = re.compile(r"[A-Za-z0-9._~+/=-]{16,200}")
E164 = re.compile(r"\+[1-9]\d{6,14}")
SHORT_CODE = re.compile(r"[1-9]\d{2,7}")
PREFIX = re.compile(r"\+[1-9]\d{0,6}|\*")
LONGEST_SOCKET = 107  # octets of its path (unix(7))
SHORTEST_SECRET = 32  # characters, live


def comma_list(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def country(text: str) -> str:
    if text not in destinations.COUNTRIES:
        raise ValueError(f"{text[:20]!r} is no country that has phones; write its ISO code, such as US")
    return text


def countries(text: str) -> tuple[str, ...]:
    """ISO 3166 codes, each once."""
    codes = tuple(dict.fromkeys(code.upper() for code in comma_list(text)))
    if not codes:
        raise ValueError("names no country; write ISO codes with commas, such as US,CA")
    for code in codes:
        if code not in destinations.COUNTRIES:
            raise ValueError(f"{code[:20]!r} is no country that has phones; write ISO codes with commas, such as US,CA")
    return codes


def switch(text: str) -> bool:
    words = {"on": True, "1": True, "yes": True, "true": True, "off": False, "0": False, "no": False, "false": False}
    if text.lower() not in words:
        raise ValueError(f"{text!r} is neither on nor off")
    return words[text.lower()]


def one_line(longest: int) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if not text.isprintable() or len(text) > longest:
            raise ValueError(f"must be one line of at most {longest} characters")
        return text.strip()

    return checked


def bearer(text: str) -> str:
    """A token that may follow "Bearer" in a header (RFC 6750 2.1) and is too long to guess."""
    if text and not BEARER.fullmatch(text):
        raise ValueError("must be 16 characters or more: letters, digits and any of -._~+/=")
    return text


def listen(text: str) -> tuple[str, int]:
    """HOST:PORT, IPv6 in brackets; the host comes back without them."""
    found = LISTEN.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 65535:
        raise ValueError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8000")
    return found[1].strip("[]"), int(found[2])


def place(text: str) -> Place:
    """HOST:PORT, or unix:/PATH of a socket, which comes back as the path."""
    path = text.removeprefix("unix:")
    if not path.startswith("/"):
        return listen(text)
    if len(path.encode()) > LONGEST_SOCKET or not path.isprintable():
        raise ValueError(f"the path of a socket has {LONGEST_SOCKET} octets at most")
    return path


def dialled(listens: tuple[str, int]) -> tuple[str, int]:
    """The address at which this machine reaches what listens there: for "all addresses" it is loopback."""
    host, port = listens
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port


def netloc(listens: tuple[str, int]) -> str:
    host, port = listens
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def base_url(text: str) -> str:
    """http(s)://HOST[:PORT][/PATH] and nothing else: with credentials or a query, two programs could see two hosts."""
    if not BASE_URL.fullmatch(text) or not _port_fits(text):
        raise ValueError(f"{text!r} is not a plain web address, such as https://critter.example.com")
    return text.rstrip("/")


def relay_url(text: str) -> str:
    if not RELAY.fullmatch(text) or not _port_fits(text):  # never shown: it may hold a password
        raise ValueError("must be smtp://, smtps:// or smtp+starttls://, then [USER:PASSWORD@]HOST[:PORT]")
    return text


def database_url(text: str) -> str:
    if not re.match(r"postgres(ql)?(\+psycopg)?://", text):
        raise ValueError("must be postgresql://[USER:PASSWORD@]HOST[:PORT]/DATABASE; Critter has no other dialect")
    return "postgresql://" + text.split("://", 1)[1]


def redis_url(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must be redis://HOST[:PORT]/DB, rediss://… or unix:///PATH/TO/SOCKET?db=0")
    if not _port_fits(text):  # never shown: it may hold a password
        raise ValueError("its port is no number from 1 to 65535; odd characters in a password are written as %40")
    return text


def is_open_redis(url: str) -> bool:
    """Whether it is reached over the network without a password, as redis-py reads the address."""
    parts = urlsplit(url)
    return parts.scheme != "unix" and not (parts.password or parse_qs(parts.query).get("password"))


def domain(text: str) -> str:
    """A mail domain as DNS has it; one in other scripts is converted (IDNA 2008)."""
    try:
        found = ascii_domain(text)
    except ValueError:
        found = ""
    if not DOMAIN.fullmatch(found):
        raise ValueError(f"{text!r} is not a mail domain, such as critter.example.com")
    return found


def sender(text: str) -> str:
    """One address in plain ASCII, or the word verp."""
    local, at, host = text.rpartition("@")
    if text != "verp" and not (at and re.fullmatch(r"[A-Za-z0-9._+-]{1,64}", local) and DOMAIN.fullmatch(host.lower())):
        raise ValueError(f"{text!r} is neither an address, such as critter@example.com, nor verp")
    return text


def domains(text: str) -> tuple[str, ...]:
    return tuple(domain(one) for one in comma_list(text))


def selectors(text: str) -> tuple[str, ...]:
    """Labels of DNS (RFC 6376 3.1), each once."""
    for one in comma_list(text):
        if not SELECTOR.fullmatch(one):
            raise ValueError(
                f"{one[:70]!r} is no selector: letters, digits and hyphens, as critter dkim make names them"
            )
    return tuple(dict.fromkeys(comma_list(text)))


def hook_secrets(text: str) -> tuple[str, ...]:
    for secret in comma_list(text):
        key_of(secret)
    return comma_list(text)


def visible(text: str) -> str:
    """Text that goes unchanged into a header or an address."""
    if not re.fullmatch(r"[!-~]{1,200}", text):  # never shown: it may be a password
        raise ValueError("must be letters, digits and signs of ASCII, without blanks")
    return text


def networks(text: str) -> tuple[Network, ...]:
    try:
        ranges = tuple(ip_network(item) for item in comma_list(text))
    except ValueError as wrong:
        raise ValueError(f"{wrong}; give ranges such as 10.1.0.0/16, separated by commas") from None
    if any(network.prefixlen == 0 for network in ranges):
        raise ValueError("would trust the whole internet; give the ranges of your own mail servers")
    return ranges


def name_servers(text: str) -> tuple[tuple[str, int], ...]:
    """Addresses with commas, a port behind a colon when it is not 53, IPv6 then in brackets."""
    return tuple(_name_server(item) for item in comma_list(text))


def _name_server(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?|([0-9.]+)(?::(\d{1,5}))?|([0-9A-Fa-f:]+)", text)
    try:
        if found is None:
            raise ValueError
        port = int(found[2] or found[4] or 53)
        if not 0 < port < 65536:
            raise ValueError
        return str(ip_address(found[1] or found[3] or found[5])), port
    except ValueError:
        raise ValueError(f"{text!r} is no name server: write its address, such as 10.1.0.53 or [::1]:5353") from None


def authserv_ids(text: str) -> tuple[str, ...]:
    """The names by which mail servers sign their Authentication-Results, in lower case."""
    names = tuple(item.lower() for item in comma_list(text))
    for name in names:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,250}", name):
            raise ValueError(f"{name!r} is no name of a mail server, such as mx.example.com")
    return names


_LOCAL = r"[a-z0-9][a-z0-9._+-]{0,62}"
_HOST = r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+"


def _in_ascii(alias: str) -> str:
    """The alias with its domain as DNS has it, when it is in another script."""
    address, equals, word = alias.partition("=")
    local, at, host = address.rpartition("@")
    return f"{local}{at}{ascii_domain(host)}{equals}{word}"


def mail_aliases(text: str) -> tuple[str, ...]:
    """Addresses and domains, with commas, from which mail is forwarded to us: `updates@corp.example` means post@,
    `sales@corp.example=sales` means our address sales@, `old.example` means the same local part at our domain. The
    result has each as `alias=word` or `@domain`."""
    found: list[str] = []
    for item in map(_in_ascii, comma_list(text.lower())):
        match = re.fullmatch(rf"(?:({_LOCAL}@{_HOST})(?:=({_LOCAL})(?:@{_HOST})?)?|@?({_HOST}))", item)
        if match is None:
            raise ValueError(
                f"{item!r} is no alias: write updates@corp.example, sales@corp.example=sales or a domain, old.example"
            )
        found.append(f"{match[1]}={match[2] or 'post'}" if match[1] else f"@{match[3]}")
    return tuple(found)


def push_key(text: str) -> str:
    read_private(text)
    return text.rstrip("=")


def host_names(text: str) -> tuple[str, ...]:
    """Names of hosts or addresses, without ports, in lower case."""
    found = tuple(item.strip("[]").lower() for item in comma_list(text))
    for item in found:
        if not re.fullmatch(r"[a-z0-9](?:[a-z0-9.:-]*[a-z0-9])?", item):
            raise ValueError(f"{item[:60]!r} is no host; write names with commas, such as ntfy.example.com")
    return found


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def stays_here(host: str) -> bool:
    """Whether what goes to this host stays on the machine: loopback, or a range reserved for documentation."""
    if host == "localhost":
        return True
    try:
        ip = ip_address(host)
    except ValueError:
        return False
    return ip.is_loopback or any(ip in network for network in REHEARSAL)


def _port_fits(url: str) -> bool:
    try:
        port = urlsplit(url).port
    except ValueError:
        return False
    return port != 0
