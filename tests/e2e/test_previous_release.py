"""The code of the release before this one, on the schema of this one: the whole main job, as its own demo tells it.

It needs the release's tag and the history behind it. Where there is none (a shallow clone, or before the first release)
it is skipped, and ``test_rolling_schema`` alone speaks for rolling updates. ``CONSILIUM_PREVIOUS_REVISION`` names
another revision to try.
"""

import asyncio
import io
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import asyncpg
import httpx
import pytest

from consilium.assembly import SERVICES
from shared.store.revisions import head
from tests.eventually import eventually
from tests.ports import free_port

PROJECT = Path(__file__).parents[2]
STARTS_WITHIN = 60.0


def git(*arguments: str) -> bytes | None:
    """What git says; None where it fails, or is not there."""
    try:
        return subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """The sources of the release before."""
    tag = git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^")
    revision = os.environ.get("CONSILIUM_PREVIOUS_REVISION") or (tag or b"").decode().strip()
    archive = git("archive", revision, "shared", "services", "consilium") if revision else None
    if archive is None:
        pytest.skip("there is no release before this one in this clone")
    folder = tmp_path / "previous"
    with tarfile.open(fileobj=io.BytesIO(archive)) as sources:
        sources.extractall(folder, filter="data")
    return folder


def environment(previous: Path, databases: dict[str, str], data_dir: Path, port: int) -> dict[str, str]:
    """What the older release is started with: its own sources before ours, our databases."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONSILIUM_")}
    template = databases["careplans"].replace("careplans", "{service}", 1)
    assert {name: template.replace("{service}", name) for name in databases} == databases
    own = {"PORT": str(port), "DATA_DIR": str(data_dir), "DATABASE_URL": template}
    return inherited | {f"CONSILIUM_{name}": value for name, value in own.items()} | {"PYTHONPATH": str(previous)}


def sources_of(given: dict[str, str], folder: Path) -> str:
    """Where a process that is started so has its code from."""
    command = [sys.executable, "-c", "import shared.service; print(shared.service.__file__)"]
    return subprocess.run(command, env=given, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.timeout(240)
async def test_the_release_before_does_its_whole_job_on_this_schema(
    previous: Path, databases: dict[str, str], data_dir: Path
) -> None:
    port = free_port()
    given = environment(previous, databases, data_dir, port)
    assert sources_of(given, previous).startswith(str(previous)), "these are not the older sources"
    process = subprocess.Popen(  # noqa: ASYNC220  it does not wait
        [sys.executable, "-m", "consilium", "run"], env=given, cwd=previous
    )
    try:

        async def ready() -> bool:
            assert process.poll() is None, "it does not start on the newer schema"
            async with httpx.AsyncClient(trust_env=False) as client:
                try:
                    return (await client.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200
                except httpx.TransportError:
                    return False

        await eventually(ready, within=STARTS_WITHIN)
        demo = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "consilium", "demo"],
            env=given,
            cwd=previous,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert demo.returncode == 0, demo.stdout + demo.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 30)
    for service in SERVICES:
        connection = await asyncpg.connect(databases[service.name])
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == head(service.migrations)
        await connection.close()
