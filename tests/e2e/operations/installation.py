"""Commands on an installation, and what one asks of it afterwards."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.e2e.evidence import Evidence
from tests.e2e.referring import Sent
from tests.eventually import eventually
from tests.factories.process import Process


async def consilium(process: Process, *arguments: str | Path) -> tuple[int, str]:
    """Run the command on the installation's folder; its code and all that it said."""
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "consilium", *map(str, arguments)],
        env=environment(process),
        capture_output=True,
        text=True,
        timeout=200,
    )
    told = ended.stdout + ended.stderr
    assert "Traceback" not in told, told
    return ended.returncode, told


def environment(process: Process) -> Mapping[str, str]:
    """What a command on the installation is started with."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONSILIUM_")}
    return {**inherited, "CONSILIUM_DATA_DIR": str(process.data_dir), **process.settings}


async def ended(process: Process) -> None:
    """End it in good order."""
    assert await asyncio.to_thread(process.terminate().wait, 30) == 0


async def settled(process: Process, sent: Sequence[Sent], amqp: str | None = None) -> None:
    """Everything of ``sent``, and nothing else, is in the plans and told, once."""
    evidence = Evidence(process.databases, amqp)
    try:
        await eventually(lambda: evidence.settled(sent), within=60, every=0.2)
    finally:
        await evidence.close()
