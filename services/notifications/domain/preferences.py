"""How a receiver wants to be told: one address per channel, each on or off."""

from collections.abc import Iterable
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from enum import StrEnum
from urllib.parse import urlsplit

from shared.errors import Unprocessable


class Channel(StrEnum):
    """The ways to reach somebody."""

    STREAM = "stream"
    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Preference:
    """One receiver's wish for one channel."""

    receiver: str
    channel: Channel
    enabled: bool = True


def channels_for(preferences: Iterable[Preference], *, urgent: bool = False) -> tuple[Channel, ...]:
    """The channels of one receiver. The stream is on unless switched off; nobody can switch everything off.

    What is ``urgent`` is in the stream, too, whatever is switched off."""
    wishes = {preference.channel: preference.enabled for preference in preferences}
    if urgent:
        wishes[Channel.STREAM] = True
    chosen = tuple(channel for channel in Channel if wishes.get(channel, channel is Channel.STREAM))
    return chosen or (Channel.STREAM,)


def check_address(channel: Channel, address: str | None, *, insecure: bool = False) -> None:
    """Raises ``Unprocessable`` when ``address`` does not fit ``channel``. ``insecure`` allows plain http."""
    match channel:
        case Channel.STREAM:
            fits = address is None
        case Channel.EMAIL:
            fits = address is not None and _is_mailbox(address)
        case Channel.WEBHOOK:
            fits = address is not None and _is_hook(address, insecure=insecure)
    if not fits:
        raise Unprocessable("The address does not fit the channel.", expression=("address",))


def _is_mailbox(address: str) -> bool:
    if not address.isascii() or not address.isprintable():
        return False
    try:
        parsed = Address(addr_spec=address)
    except (MessageError, ValueError, IndexError):  # what the standard library raises for what it cannot parse
        return False
    return bool(parsed.username and parsed.domain)


def _is_hook(address: str, *, insecure: bool) -> bool:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - a property that raises for a port that is no number
    except ValueError:
        return False
    schemes = ("https", "http") if insecure else ("https",)
    return parts.scheme in schemes and bool(parts.hostname) and parts.username is None and address.isprintable()
