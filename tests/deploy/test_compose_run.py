"""The compose project in containers: images that hold one service, and containers killed under load.

`make compose-test` starts the project and runs this; without it there is nothing to look at."""

import json
import os
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.deploy.compose_stack import APART, Stack, docker, killed_and_back, loaded
from tests.e2e.evidence import Evidence
from tests.e2e.referring import furnish
from tests.eventually import eventually

pytestmark = [
    pytest.mark.skipif("CONSILIUM_COMPOSE_TEST" not in os.environ, reason="needs containers: make compose-test"),
    pytest.mark.timeout(1800),
]

EVERY = (
    *("gateway", "referrals", "careplans", "notifications"),
    *("referrals-worker", "careplans-worker", "notifications-worker"),
    *("rabbitmq", "postgres", "mailpit"),
)
BETWEEN = 10
"""Referrals acknowledged before a container is killed, and again once it is back."""
HELD = """
import os, json
from importlib.metadata import version
print(json.dumps({
    "services": sorted(one.name for one in os.scandir("/app/services") if one.is_dir() and one.name != "__pycache__"),
    "rooms": sorted(one.name for one in os.scandir("/app") if not one.name.endswith(".dist-info")),
    "version": version("consilium"), "user": os.getuid(),
}))
"""


@pytest.fixture
async def stack() -> AsyncIterator[Stack]:
    """The running project."""
    stack = Stack()
    yield stack
    await stack.close()


@pytest.mark.parametrize("service", [*APART, "gateway"])
async def test_an_image_holds_what_is_shared_and_its_own_service(service: str) -> None:
    image = f"consilium/{service}:{os.environ['CONSILIUM_VERSION']}"
    hardened = ("--rm", "--read-only", "--cap-drop=ALL", "--network=none", "--entrypoint=python")
    held = json.loads(await docker("run", *hardened, image, "-c", HELD))
    assert held["services"] == [service]
    assert held["rooms"] == ["services", "shared"]
    assert held["user"] == 65532
    assert held["version"] != "0"
    # the whole program is there: whatever it imports when it is asked to serve
    assert await docker("run", *hardened, image, "-c", f"import services.{service}.main, shared.process.api") == ""


@pytest.mark.parametrize("service", [*APART, "gateway"])
async def test_an_image_says_what_it_is_and_runs_as_nobody(service: str) -> None:
    (image,) = json.loads(await docker("image", "inspect", f"consilium/{service}:{os.environ['CONSILIUM_VERSION']}"))
    config = image["Config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["python", "-m", "services"]
    assert config["Cmd"] == ["api"]
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    assert config["Labels"]["org.opencontainers.image.title"] == f"consilium-{service}"


async def test_containers_killed_in_turn_under_load_lose_and_double_nothing(stack: Stack) -> None:
    patients = await furnish(stack, 120)
    async with loaded(stack, patients) as load:
        for service in EVERY:
            load.during, before = service, len(load.sent)
            await eventually(partial(load.more, before + BETWEEN), within=120)
            assert not load.failed[service], f"requests failed before {service} was killed"
            seconds, at = await killed_and_back(service), len(load.sent)
            await eventually(partial(load.more, at + BETWEEN), within=120)
            print(f"kill of {service}: healthy after {seconds:.1f} s, {load.failed[service]} requests failed")
            if service.endswith("-worker") or service in ("rabbitmq", "mailpit", "notifications"):
                assert not load.failed[service], f"{service} is not needed to take a referral"
    began = time.monotonic()
    evidence = Evidence(stack.databases, stack.amqp_url)
    try:
        await eventually(lambda: evidence.settled(load.sent), within=300, every=1)
    finally:
        await evidence.close()
    print(f"{len(load.sent)} referrals acknowledged, all settled {time.monotonic() - began:.1f} s after the last")


async def test_containers_told_to_stop_end_well_and_in_time() -> None:
    began = time.monotonic()
    ours = [service for service in EVERY if service not in ("rabbitmq", "postgres", "mailpit")]
    await docker("compose", "stop", *ours)
    print(f"docker compose stop: {time.monotonic() - began:.1f} s")
    listed = await docker("compose", "ps", "--all", "--format", "json", *ours)
    ended = {one["Service"]: one["ExitCode"] for one in map(json.loads, listed.splitlines())}
    assert ended == dict.fromkeys(ours, 0)
