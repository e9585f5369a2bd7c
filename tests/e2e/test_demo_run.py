"""``consilium run`` as a person starts it: a process, an embedded PostgreSQL, a port; and how it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.eventually import eventually
from tests.ports import free_port

START = 60.0
"""Seconds; several times what a quiet machine needs, with the first creation of the databases."""


@pytest.fixture
def environment(data_dir: Path) -> dict[str, str]:
    """An installation of its own."""
    own = {"CONSILIUM_PORT": str(free_port()), "CONSILIUM_DATA_DIR": str(data_dir), "COLUMNS": "120"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONSILIUM_")}
    return inherited | own


def consilium(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    command = [sys.executable, "-m", "consilium", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def running(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """``consilium run``; it is killed if the test leaves it."""
    process = subprocess.Popen([sys.executable, "-m", "consilium", "run"], env=environment, stdout=subprocess.PIPE)
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


async def ready(environment: dict[str, str]) -> str:
    """The base URL, once everything there is ready."""
    base = f"http://127.0.0.1:{environment['CONSILIUM_PORT']}"

    async def answers() -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"{base}/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    await eventually(answers, within=START)
    return base


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_it_serves_takes_tokens_refuses_a_twin_and_ends_on_sigterm(
    environment: dict[str, str], workers: str, request: pytest.FixtureRequest
) -> None:
    environment["CONSILIUM_WORKERS"] = workers
    running: subprocess.Popen[bytes] = request.getfixturevalue("running")
    base = await ready(environment)
    token = consilium(environment, "token", "--role", "system").stdout.strip()
    async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
        assert (await client.get("/fhir/Patient")).status_code == 401
        found = await client.get("/fhir/Patient", headers={"authorization": f"Bearer {token}"})
        assert found.json()["type"] == "searchset"
    twin = consilium(environment, "run")
    assert twin.returncode == 1
    assert "runs on this data folder already" in " ".join(twin.stderr.split())
    elsewhere = consilium(environment | {"CONSILIUM_DATA_DIR": environment["CONSILIUM_DATA_DIR"] + "2"}, "run")
    assert elsewhere.returncode == 1
    assert "is taken" in " ".join(elsewhere.stderr.split())
    assert "No dead letters." in consilium(environment, "dead", "list").stdout
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=20) == 0
    assert running.stdout is not None
    assert f"{base}/fhir" in running.stdout.read().decode()
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(base)
