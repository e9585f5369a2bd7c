"""Open mode on loopback only."""

import pytest

from shared.security.loopback import NotLoopback, require_loopback
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
