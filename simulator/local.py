"""What counts as this machine: the simulator listens only there and calls nobody else. Used for every address."""

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

Address = tuple[str, int]

# The documentation networks of RFC 5737: rehearsals assign them to network namespaces of their own.
NETWORKS = tuple(map(ip_network, ("127.0.0.0/8", "::1/128", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


def is_local(host: str) -> bool:
    """True for localhost and for literal addresses of the networks above; names are never looked up."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return any(address in network for network in NETWORKS)


def is_local_url(url: str) -> bool:
    """True for an http or https URL whose host is on this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and is_local(parts.hostname or "")
    except ValueError:
        return False


def path_of(url: str) -> str:
    """The path of a URL, empty for what is no URL."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def address(text: str) -> Address:
    """Reads HOST:PORT."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def netloc(where: Address) -> str:
    """Writes HOST:PORT as in a URL, IPv6 in brackets."""
    host, port = where
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
