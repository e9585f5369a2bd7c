"""Open mode binds to loopback only: whoever reaches the port may do anything."""

import ipaddress

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


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
