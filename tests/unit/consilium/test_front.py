"""What stands before the gateway: slow requests are told, and in open mode strangers are refused."""

import logging

import httpx
import pytest

from consilium.front import front
from services.gateway.asgi import Answer, Receive, Scope, Send, send_answer
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import start


class Gateway:
    """Answers all with 200 and counts them."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await send_answer(Answer(200, b"{}"), send)


def client(gateway: Gateway, *, open_mode: bool) -> httpx.AsyncClient:
    """A program that reaches ``gateway`` on loopback."""
    app = front(gateway, start("test", TelemetrySettings()), open_mode=open_mode)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080")


STRANGE = [{"host": "evil.example:8080"}, {"origin": "https://evil.example"}, {"origin": "null"}]


@pytest.mark.parametrize("headers", STRANGE)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_in_open_mode_pages_of_others_are_refused_in_the_language_of_the_path(
    headers: dict[str, str], method: str
) -> None:
    gateway = Gateway()
    async with client(gateway, open_mode=True) as page:
        outcome = await page.request(method, "/fhir/Patient", headers=headers)
        problem = await page.request(method, "/api/referrals", headers=headers)
    assert gateway.asked == 0
    assert (outcome.status_code, problem.status_code) == (403, 403)
    assert outcome.headers["content-type"].startswith("application/fhir+json")
    assert outcome.json()["issue"][0]["code"] == "forbidden"
    assert problem.headers["content-type"] == "application/problem+json"
    assert "evil" not in outcome.text + problem.text


async def test_in_open_mode_programs_of_this_machine_are_answered() -> None:
    gateway = Gateway()
    async with client(gateway, open_mode=True) as program:
        assert (await program.get("/fhir/Patient")).status_code == 200
        own = {"origin": "http://127.0.0.1:8080"}
        assert (await program.post("/fhir/Patient", headers=own)).status_code == 200


@pytest.mark.parametrize("headers", STRANGE)
async def test_where_tokens_are_asked_for_they_decide(headers: dict[str, str]) -> None:
    async with client(Gateway(), open_mode=False) as page:
        assert (await page.get("/fhir/Patient", headers=headers)).status_code == 200


@pytest.mark.parametrize(("seconds", "told"), [("0.000000001", 1), ("60", 0)])
async def test_what_is_slow_is_a_setting(
    seconds: str, told: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CONSILIUM_SLOW_REQUEST_S", seconds)
    with caplog.at_level(logging.WARNING, "shared"):
        async with client(Gateway(), open_mode=False) as program:
            await program.get("/fhir/Patient")
    assert [record.message for record in caplog.records] == ["A request was slow."] * told
