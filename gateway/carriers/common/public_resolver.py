"""Looks up hosts that strangers named, and finds only public addresses, so that no name leads into our own network. The
connection then goes to the address that was looked at: looking again could find another one (DNS rebinding)."""

import socket
from collections.abc import Callable

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from gateway.errors import CarrierError
from gateway.security.public_addresses import is_public


class PublicResolver(AbstractResolver):
    """`trusts` says of which hosts the settings allow any address. aiohttp does not ask a resolver about a host that is
    an address already: whoever takes such hosts looks at them first."""

    def __init__(self, trusts: Callable[[str], bool]) -> None:
        self._trusts = trusts
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not self._trusts(host) and not all(is_public(one["host"]) for one in found):
            raise CarrierError("not a public address", "permanent")
        return found

    async def close(self) -> None:
        await self._resolver.close()
