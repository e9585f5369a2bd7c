"""Where we may connect that others name: public addresses only, decided on the address that is really used.

The name is resolved here and the connection goes to the resolved address, so that a name cannot mean something else
between check and use. TLS still names and checks the host (https://cheatsheetseries.owasp.org: Server-Side Request
Forgery Prevention).
"""

import asyncio
import ipaddress
import socket

import httpx


class EgressRefused(Exception):
    """The address is not one that we may reach."""


def is_public(address: str) -> bool:
    """Whether ``address`` (an IP address) is reachable from everywhere; IPv4 inside IPv6 is judged as IPv4."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is not None or parsed in _NAT64:
            parsed = inner or ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    return parsed.is_global and not parsed.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class GuardedTransport(httpx.AsyncBaseTransport):
    """Resolves, judges, then connects to what was judged. Raises ``EgressRefused``, or ``httpx.ConnectError``."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, allow_private: bool) -> None:
        self._inner = inner
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` to the address that its host means now."""
        host = request.url.host
        address = await self._resolve(host, request.url.port or 443)
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _resolve(self, host: str, port: int) -> str:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpx.ConnectError("The host name does not resolve.") from error
        addresses = [str(entry[4][0]) for entry in found]
        if not self._allow_private and not all(map(is_public, addresses)):
            raise EgressRefused
        return addresses[0]
