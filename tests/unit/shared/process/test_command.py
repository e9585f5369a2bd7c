"""``python -m services COMMAND``: exit codes, and mistakes in a line."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from shared.process.command import run
from shared.process.mistakes import Mistake
from shared.process.settings import ProcessSettings
from tests.listening import listening
from tests.ports import free_port


async def fine() -> None:
    """Ends well."""


async def mistaken() -> None:
    """Finds something that an operator can put right."""
    raise Mistake("The database cannot be reached.")


async def misread() -> None:
    """Reads a setting that does not hold."""
    ProcessSettings()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["fine"], 0, ""),
        (["mistaken"], 1, "The database cannot be reached.\n"),
        (["misread"], 2, "CONSILIUM_POOL_SIZE: Input should be greater than or equal to 2\n"),
        (["other"], 2, "Say one of: fine, mistaken, misread, log-level, health.\n"),
        ([], 2, "Say one of: fine, mistaken, misread, log-level, health.\n"),
        (["fine", "fine"], 2, "Say one of: fine, mistaken, misread, log-level, health.\n"),
    ],
)
def test_a_command_ends_with_a_code_and_a_line(
    arguments: list[str], code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONSILIUM_POOL_SIZE", "0")
    assert run({"fine": fine, "mistaken": mistaken, "misread": misread}, arguments) == code
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "10"}, "OTEL_BSP_MAX_QUEUE_SIZE: does not hold."),
        ({"OTEL_BLRP_MAX_QUEUE_SIZE": "10"}, "OTEL_BLRP_MAX_QUEUE_SIZE: does not hold."),
        (
            {"OTEL_BSP_MAX_QUEUE_SIZE": "600", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "601"},
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE, OTEL_BSP_MAX_QUEUE_SIZE: one of them does not hold",
        ),
    ],
)
@pytest.mark.parametrize("command", [["services.gateway", "api"], ["consilium", "run"]])
def test_a_variable_of_opentelemetry_that_does_not_hold_is_named(
    command: list[str], given: dict[str, str], told: str, tmp_path: Path
) -> None:
    environment = os.environ | given | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    environment |= {"CONSILIUM_PORT": "0", "CONSILIUM_DATA_DIR": str(tmp_path), "CONSILIUM_PEER_KEY": "k" * 32}
    # nothing is connected to before telemetry starts
    environment |= {"CONSILIUM_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
    for name in ("REFERRALS", "CAREPLANS", "NOTIFICATIONS"):
        environment[f"CONSILIUM_{name}_URL"] = "http://127.0.0.1:1"
    ended = subprocess.run(
        [sys.executable, "-m", *command], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2, ended.stderr
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


async def asked(**environment: str) -> int:
    """The exit code of ``python -m services health``."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "services", "health", env=environment)
    return await child.wait()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
async def test_health_is_what_readiness_answers(status: int, code: int) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["path"] == "/health/ready"
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with listening(app) as base:
        assert await asked(CONSILIUM_PORT=base.rsplit(":", 1)[1]) == code
    assert await asked(CONSILIUM_PORT=base.rsplit(":", 1)[1]) == 1


@pytest.mark.parametrize(
    ("listens", "told", "code"),
    [("127.0.0.2", "127.0.0.2", 0), ("127.0.0.1", "0.0.0.0", 0), ("127.0.0.2", "", 1), ("127.0.0.1", "a..b", 1)],
)
async def test_health_asks_where_the_process_listens(listens: str, told: str, code: int) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with listening(app, listens) as base:
        assert await asked(CONSILIUM_PORT=base.rsplit(":", 1)[1], CONSILIUM_HOST=told) == code


@pytest.mark.parametrize("port", ["http", "70000", "-1"])
def test_health_tells_a_port_that_is_none(port: str) -> None:
    command, environment = [sys.executable, "-m", "services", "health"], {"CONSILIUM_PORT": port}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("CONSILIUM_PORT: ")


@pytest.mark.parametrize("environment", [{}, *({"CONSILIUM_SERVICE": name} for name in ("", "os", "../x", "a.b"))])
def test_an_image_that_does_not_say_which_service_it_is_says_so(environment: dict[str, str]) -> None:
    ended = subprocess.run([sys.executable, "-m", "services", "api"], env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("CONSILIUM_SERVICE")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(("command", "code"), [("migrate", 143), ("api", 0), ("worker", 0)])
async def test_a_process_that_waits_for_its_database_ends_when_it_is_told(command: str, code: int) -> None:
    """By a handler of its own: the first process of a container has no other."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        nobody.listen()
        url = f"postgresql://x@127.0.0.1:{nobody.getsockname()[1]}/x"
        environment = {
            "CONSILIUM_SERVICE": "referrals",
            "CONSILIUM_DATABASE_URL": url,
            "CONSILIUM_PORT": str(free_port()),
            "CONSILIUM_PEER_KEY": "a secret of thirty-two bytes at least",
        }
        environment |= {"CONSILIUM_AMQP_URL": "amqp://x@127.0.0.1:1/", "CONSILIUM_PATIENCE_S": "300"}
        child = await asyncio.create_subprocess_exec(sys.executable, "-m", "services", command, env=environment)
        nobody.setblocking(False)
        connection, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(nobody), 60)
        with connection:
            child.terminate()
            assert await asyncio.wait_for(child.wait(), 10) == code


@pytest.mark.parametrize("name", ["referrals", "careplans", "notifications"])
@pytest.mark.parametrize(
    ("command", "environment", "told"),
    [
        ("api", {}, "CONSILIUM_DATABASE_URL"),
        ("api", {"CONSILIUM_AUTH": "open"}, "CONSILIUM_AUTH=open"),
        ("worker", {"CONSILIUM_DATABASE_URL": "postgresql://x"}, "CONSILIUM_AMQP_URL"),
        (
            "worker",
            {"CONSILIUM_DATABASE_URL": "postgresql://x", "CONSILIUM_AMQP_URL": "amqp://x"},
            "CONSILIUM_PEER_KEY",
        ),
        ("migrate", {}, "CONSILIUM_DATABASE_URL"),
    ],
)
def test_what_is_missing_is_told_in_a_line(name: str, command: str, environment: dict[str, str], told: str) -> None:
    environment = {"CONSILIUM_PORT": "0", "CONSILIUM_SERVICE": name} | environment
    ended = subprocess.run(
        [sys.executable, "-m", "services", command], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(told), ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_gateway_tells_in_a_line_that_it_has_no_key() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.gateway", "api"],
        env={"CONSILIUM_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("CONSILIUM_PEER_KEY"), ended.stderr
    assert len(ended.stderr.splitlines()) == 1
