"""Open mode on loopback only."""

import pytest

from shared.security.loopback import NotLoopback, is_foreign, require_loopback
from shared.security.settings import AuthMode


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_open_mode_serves_loopback(host: str) -> None:
    require_loopback(host, AuthMode.OPEN)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "", "localhost.example.org"])
def test_open_mode_refuses_what_others_can_reach(host: str) -> None:
    with pytest.raises(NotLoopback, match="CONSILIUM_AUTH"):
        require_loopback(host, AuthMode.OPEN)


def test_with_tokens_any_address_will_do() -> None:
    require_loopback("0.0.0.0", AuthMode.JWT)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost", None),
        ("LocalHost:8080", None),
        ("127.0.0.1:8080", None),
        ("127.1.2.3", None),
        ("[::1]:8080", None),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("localhost:8080", "HTTP://LOCALHOST:8080"),
        ("localhost", "https://localhost"),
    ],
)
def test_programs_of_this_machine_and_our_own_pages_are_not_foreign(host: str, origin: str | None) -> None:
    assert not is_foreign([host], [origin] if origin else [])


@pytest.mark.parametrize(
    ("hosts", "origins"),
    [
        ([], []),
        ([""], []),
        (["localhost", "localhost"], []),
        (["evil.example"], []),
        (["evil.example:8080"], ["http://evil.example:8080"]),
        (["localhost.evil.example"], []),
        (["127.0.0.1.evil.example"], []),
        (["localhost@evil.example"], []),
        (["127.0.0.1:8080\n"], []),
        (["192.0.2.1:8080"], []),
        (["0.0.0.0:8080"], []),
        (["[::]:8080"], []),
        (["[::ffff:192.0.2.1]"], []),
        (["localhost:8080"], ["null"]),
        (["localhost:8080"], [""]),
        (["localhost:8080"], ["http://evil.example"]),
        (["localhost:8080"], ["http://localhost:3000"]),
        (["localhost:8080"], ["http://localhost"]),
        (["localhost:8080"], ["http://127.0.0.1:8080"]),
        (["localhost:8080"], ["http://localhost:8080", "http://evil.example"]),
        (["localhost:8080"], ["http://localhost:8080.evil.example"]),
    ],
)
def test_what_a_page_of_somebody_else_may_have_sent_is_foreign(hosts: list[str], origins: list[str]) -> None:
    assert is_foreign(hosts, origins)
