"""The worker's job, as the environment sets it up."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from services.referrals.settings import ExchangeSettings
from services.referrals.worker import exchange
from tests.eventually import eventually
from tests.factories.engine import FixedVerifier
from tests.factories.partner import Elsewhere
from tests.integration.referrals.asking import send
from tests.integration.referrals.exchange.conftest import Exchanging


async def test_the_worker_sends_what_is_due_and_ends_when_it_is_told(
    client: httpx.AsyncClient,
    verifier: FixedVerifier,
    exchanging: Exchanging,
    elsewhere: Elsewhere,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "partners.json").write_text(json.dumps({exchanging.address: {}}))
    for name in ("HTTP", "PRIVATE"):
        monkeypatch.setenv(f"CONSILIUM_EXCHANGE_ALLOW_{name}", "true")
    stop = asyncio.Event()
    job = asyncio.create_task(exchange(exchanging.engine, stop))
    await send(client, verifier)

    async def arrived() -> bool:
        return len(elsewhere.all("Task")) == 1 and (await exchanging.row()).state == "going-on"

    await eventually(arrived)
    stop.set()
    await asyncio.wait_for(job, 5)


async def test_without_partners_there_is_nothing_to_do(exchanging: Exchanging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONSILIUM_PARTNERS_FILE")
    await asyncio.wait_for(exchange(exchanging.engine, asyncio.Event()), 5)


def test_partners_need_a_public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONSILIUM_PUBLIC_URL")
    with pytest.raises(ValidationError, match="CONSILIUM_PUBLIC_URL"):
        ExchangeSettings()
