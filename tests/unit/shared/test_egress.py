"""Where a webhook may connect."""

import httpx
import pytest

from shared.egress import EgressRefused, GuardedTransport, is_public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.0.0.8", False),
        ("172.16.3.4", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:7f00:0001::", False),
    ],
)
def test_only_addresses_reachable_from_everywhere_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
async def test_however_loopback_is_written_it_is_refused(host: str) -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise AssertionError("the guard let it through")

    guarded = GuardedTransport(httpx.MockTransport(unreachable), allow_private=False)
    async with httpx.AsyncClient(transport=guarded) as client:
        with pytest.raises(EgressRefused):
            await client.post(f"https://{host}/hook")


async def test_the_connection_goes_to_the_judged_address_and_tls_still_names_the_host() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    guarded = GuardedTransport(httpx.MockTransport(answer), allow_private=True)
    async with httpx.AsyncClient(transport=guarded) as client:
        await client.post("https://localhost:8443/hook")
    (request,) = seen
    assert request.url.host in ("127.0.0.1", "::1")
    assert request.headers["host"] == "localhost:8443"
    assert request.extensions["sni_hostname"] == "localhost"
