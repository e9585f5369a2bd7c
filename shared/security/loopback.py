"""Open mode binds to loopback only, and takes requests for loopback only: whoever reaches the port may do anything."""

import ipaddress
import re
from collections.abc import Sequence

from shared.security.settings import AuthMode


class NotLoopback(ValueError):
    """Open mode was asked for on an address that others can reach."""


def require_loopback(host: str, mode: AuthMode) -> None:
    """Raises ``NotLoopback`` when ``mode`` is open and ``host`` is anything but loopback. Resolves no names."""
    if mode is AuthMode.OPEN and not _is_loopback(host):
        raise NotLoopback(
            "CONSILIUM_AUTH=open asks nobody for a token, so it serves 127.0.0.1 only. "
            "Set CONSILIUM_AUTH=jwt to listen on other addresses."
        )


def is_foreign(hosts: Sequence[str], origins: Sequence[str]) -> bool:
    """Whether a request with these Host and Origin headers may come from a web page that is not ours.

    The one Host must be a loopback address or ``localhost``, with any port: it may be forwarded. An Origin must be that
    same host and port; programs other than browsers send none."""
    if len(hosts) != 1 or not (parts := _AUTHORITY.fullmatch(hosts[0])) or not _is_loopback(parts[1]):
        return True
    own = hosts[0].lower()
    return any(origin.lower() not in (f"http://{own}", f"https://{own}") for origin in origins)


_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]+)?")
"""Host and port (https://www.rfc-editor.org/rfc/rfc9110#section-7.2)."""


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
