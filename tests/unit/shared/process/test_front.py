"""What every request passes."""

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from shared import lingering
from shared.process.front import front
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import start


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b"no"})


async def test_how_long_a_refused_client_goes_on_sending_is_not_our_slowness(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lingering, "LINGER_S", 0.3)
    monkeypatch.setenv("CONSILIUM_SLOW_REQUEST_S", "0.1")
    sent: list[Any] = []

    async def silent() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/fhir/Patient", "headers": [], "query_string": b""}
    await front(refusing, start("test", TelemetrySettings()))(scope, silent, send)
    assert [message.get("status") for message in sent] == [401, None]
    assert not [record for record in caplog.records if "slow" in record.getMessage()]
