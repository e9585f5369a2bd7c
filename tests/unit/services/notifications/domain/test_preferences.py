"""Which channels a receiver is told over, and which addresses fit."""

import pytest

from services.notifications.domain.preferences import Channel, Preference, channels_for, check_address
from shared.errors import Unprocessable


def wishes(**enabled: bool) -> list[Preference]:
    return [Preference("Practitioner/x", Channel(channel), on) for channel, on in enabled.items()]


@pytest.mark.parametrize(
    ("preferences", "channels"),
    [
        (wishes(), (Channel.STREAM,)),
        (wishes(email=True), (Channel.STREAM, Channel.EMAIL)),
        (wishes(email=True, webhook=True), (Channel.STREAM, Channel.EMAIL, Channel.WEBHOOK)),
        (wishes(email=True, stream=False), (Channel.EMAIL,)),
        (wishes(email=False), (Channel.STREAM,)),
        (wishes(email=False, stream=False), (Channel.STREAM,)),
    ],
)
def test_the_stream_is_on_unless_switched_off_and_nobody_is_out_of_reach(
    preferences: list[Preference], channels: tuple[Channel, ...]
) -> None:
    assert channels_for(preferences) == channels


@pytest.mark.parametrize(
    ("preferences", "channels"),
    [
        (wishes(), (Channel.STREAM,)),
        (wishes(email=True, stream=False), (Channel.STREAM, Channel.EMAIL)),
        (wishes(email=False, stream=False), (Channel.STREAM,)),
    ],
)
def test_what_is_urgent_is_not_muted(preferences: list[Preference], channels: tuple[Channel, ...]) -> None:
    assert channels_for(preferences, urgent=True) == channels


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (Channel.STREAM, None),
        (Channel.EMAIL, "physio@clinic.example"),
        (Channel.WEBHOOK, "https://ehr.example/hooks?x=1"),
    ],
)
def test_fitting_addresses_are_taken(channel: Channel, address: str | None) -> None:
    check_address(channel, address)


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (Channel.STREAM, "anything"),
        (Channel.EMAIL, None),
        (Channel.EMAIL, "clinic.example"),
        (Channel.EMAIL, "a@b@c"),
        (Channel.EMAIL, "a@"),
        (Channel.EMAIL, "physio@clinic.example\r\nBcc: all@clinic.example"),
        (Channel.EMAIL, "a@clinic.example, b@clinic.example"),
        (Channel.WEBHOOK, None),
        (Channel.WEBHOOK, "http://ehr.example/hooks"),
        (Channel.WEBHOOK, "https://user:secret@ehr.example/"),
        (Channel.WEBHOOK, "https:///nowhere"),
        (Channel.WEBHOOK, "https://ehr.example:port/"),
        (Channel.WEBHOOK, "file:///etc/passwd"),
        (Channel.WEBHOOK, "https://ehr.example/\n"),
    ],
)
def test_other_addresses_are_refused_without_repeating_them(channel: Channel, address: str | None) -> None:
    with pytest.raises(Unprocessable) as refusal:
        check_address(channel, address)
    assert "example" not in str(refusal.value)


def test_plain_http_is_taken_where_an_operator_allows_it() -> None:
    check_address(Channel.WEBHOOK, "http://ehr.example/hooks", insecure=True)
