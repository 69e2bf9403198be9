"""Finds the address that a request really came from, for doors that trust an address: gateway/doors/sms/kannel and
gateway/doors/web/metrics.

Behind a proxy every request comes from the proxy, and anybody can write the headers that a proxy writes about the
caller. So these headers are read only behind a proxy that is named in CRITTER_PROXY_FROM, from the right, as far as
named proxies wrote them. A request that anybody else has passed on has no address at all (R27).
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from flask import Request

from gateway.setting_types.values import Network
from gateway.settings import Settings

Address = IPv4Address | IPv6Address

PASSED_ON: Final = (  # headers that proxies and their hosts add
    "Forwarded",
    "Via",
    "X-Real-Ip",
    "X-Client-Ip",
    "X-Cluster-Client-Ip",
    "X-Original-Forwarded-For",
    "X-Envoy-External-Address",
    "True-Client-Ip",
    "Cf-Connecting-Ip",
    "Fastly-Client-Ip",
)


def caller(settings: Settings, asked: Request) -> Address | None:
    """Returns the caller's address, from the socket and from our own proxies; None when somebody else has passed the
    request on."""
    address = _plain(asked.remote_addr or "")
    written = ",".join(asked.headers.getlist("X-Forwarded-For"))
    if not written:
        return None if passed_on(asked) or _asked_of_proxy(settings, asked) else address
    if not within(address, settings.proxy_from):
        return None
    for entry in reversed(written.split(",")):
        address = _plain(entry)
        if not within(address, settings.proxy_from):
            break  # what is further left was written by this caller
    return address


def passed_on(asked: Request) -> bool:
    """Tells whether a header says that a proxy has passed this request on."""
    return any(name in PASSED_ON or name.startswith("X-Forwarded-") for name, _ in asked.headers)


def within(address: Address | None, networks: tuple[Network, ...]) -> bool:
    return address is not None and any(address in network for network in networks)


def _asked_of_proxy(settings: Settings, asked: Request) -> bool:
    """Tells whether the request has our public https name, which only a proxy with TLS answers to: that proxy has told
    us nothing about its caller."""
    public = urlsplit(settings.public_url)
    name, _, port = asked.host.lower().partition(":")
    return public.scheme == "https" and name == public.hostname and port in ("", "443")


def _plain(text: str) -> Address | None:
    """Reads an address as a socket or a proxy writes it; an IPv4 address that came by an IPv6 socket counts as IPv4."""
    text = text.strip()
    host, _, rest = text.removeprefix("[").partition("]") if text.startswith("[") else (text, "", "")
    if host.count(":") == 1 and not rest:  # IPv4 with a port
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
