"""The addresses of this server: which URLs name a resource of it, however they are spelled.

What compares equal follows http://www.rfc-editor.org/rfc/rfc3986#section-6.2; beyond it http and https are one, and so
are all names of the loopback interface. Taking too much for our own is safe (the reference must then resolve); what is
taken for another server's passes by the rules, by referential integrity and by search.
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from socket import inet_aton
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

_OF_A_RESOURCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:[/?#].*)?", re.DOTALL)
_REFERENCE = re.compile(rb'"reference"\s*:\s*"(?:[hH][tT][tT][pP]|\\)')
_LOOPBACK = "localhost"
_DEFAULT_PORTS = frozenset({None, 80, 443})


class Base(str):
    """The base URL that an answer's links start with, and other URLs of the same server."""

    __slots__ = ("others",)
    others: tuple[str, ...]

    def __new__(cls, url: str, *others: str) -> Self:
        """``url`` as a string that knows the ``others``."""
        made = super().__new__(cls, url)
        made.others = others
        return made


class _Address(NamedTuple):
    host: str
    port: int | None
    """None: the default one."""
    segments: tuple[str, ...]
    rest: str
    """Query and fragment."""


def may_hold_url(body: bytes) -> bool:
    """Whether the JSON in ``body`` may hold a reference by URL: False needs no look at what it says.

    JSON may escape the slashes, or any character, of a URL or of the word ``reference``."""
    return _REFERENCE.search(body) is not None or (b"\\" in body and b"\\u" in body)


def below(base: str, reference: str) -> str | None:
    """``Type/id`` of an absolute ``reference`` to a resource of ``base``, with all that follows; None for any other.

    What follows may be more than a reference can have (``Type/id?query``): validation refuses that as it does where it
    was sent without the base."""
    if reference[:4].lower() != "http" or (address := _address(reference)) is None:
        return None
    for own in _own(base, base.others if isinstance(base, Base) else ()):
        depth = len(own.segments)
        if (own.host, own.port, own.segments) == (address.host, address.port, address.segments[:depth]):
            relative = "/".join(address.segments[depth:]) + address.rest
            if _OF_A_RESOURCE.fullmatch(relative):
                return relative
    return None


@lru_cache(maxsize=64)
def _own(base: str, others: tuple[str, ...]) -> tuple[_Address, ...]:
    return tuple(address for url in (str(base), *others) if (address := _address(url)) is not None)


def _address(url: str) -> _Address | None:
    """What ``url`` names; None for no URL of http."""
    try:
        # clients take a backslash for a slash (https://url.spec.whatwg.org/#special-scheme)
        parts = urlsplit(url.replace("\\", "/"))
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    rest = (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")
    return _Address(_host(host), None if port in _DEFAULT_PORTS else port, _segments(parts.path), rest)


def _segments(path: str) -> tuple[str, ...]:
    found: list[str] = []
    for segment in unquote(path).split("/"):
        if segment == "..":
            del found[-1:]
        elif segment not in ("", "."):
            found.append(segment)
    return tuple(found)


def _host(name: str) -> str:
    name = unquote(name).rstrip(".").lower()
    if name == _LOOPBACK:
        return name
    try:
        # with the short and the numeric forms that clients take: 127.1
        return _four(IPv4Address(inet_aton(name)))
    except (OSError, UnicodeError):
        pass
    try:
        six = IPv6Address(name)
    except AddressValueError:
        return name
    if six.ipv4_mapped is not None:
        return _four(six.ipv4_mapped)
    return _LOOPBACK if six.is_loopback or six.is_unspecified else str(six)


def _four(address: IPv4Address) -> str:
    # who connects to 0.0.0.0 comes out at loopback, too
    return _LOOPBACK if address.is_loopback or address.is_unspecified else str(address)
