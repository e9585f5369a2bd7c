"""``python -m services.<name> COMMAND``: what an image runs, without a shell and without the ``consilium`` command."""

import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from shared.process.mistakes import BadVariable, Mistake, settings_mistakes
from shared.process.server import PortTaken

if TYPE_CHECKING:
    from shared.service import Service

Command = Callable[[], Coroutine[Any, Any, int | None]]
"""Its result, if any, is the exit code."""


def run(commands: Mapping[str, Command], arguments: Sequence[str]) -> int:
    """Run the one of ``commands`` that ``arguments`` name.

    Returns the exit code: 0, 1 for a mistake around the process, 2 for one in the arguments or settings; that of
    ``doctor`` is the worst of what it found (0, 1, 2)."""
    name, *options = arguments or [""]
    if name == "log-level":
        from shared.telemetry.levels import main

        return main(options)
    command = commands.get(name) if not options or (name, options) == ("doctor", ["--json"]) else None
    if command is None:
        return _told([f"Say one of: {', '.join([*commands, 'log-level', 'health'])}."], 2)
    import uvloop

    try:
        return uvloop.run(command()) or 0
    except ValidationError as error:
        told = settings_mistakes(error)
        if told is None:
            raise
        return _told(told, 2)
    except BadVariable as error:
        return _told([str(error)], 2)
    except (Mistake, PortTaken) as error:
        return _told([str(error)], 1)


def commands_of(service: "Service") -> dict[str, Command]:
    """What a service that owns data can do; each is loaded when it is asked for."""

    async def api() -> None:
        from shared.process.api import serve_api

        await serve_api(service)

    async def worker() -> None:
        from shared.process.worker import work

        await work(service)

    async def migrate() -> None:
        from shared.process.migrating import migrate_one

        await migrate_one(service)

    async def doctor() -> int:
        from shared.doctor.command import report
        from shared.doctor.diagnose import diagnose

        return await report(diagnose([service], apart=True), json="--json" in sys.argv)

    return {"api": api, "worker": worker, "migrate": migrate, "doctor": doctor}


def _told(lines: Sequence[str], code: int) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return code
