"""``python -m services.<name> COMMAND``: what an image runs, without a shell and without the ``consilium`` command."""

import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from shared.process.mistakes import Mistake, settings_mistakes
from shared.process.server import PortTaken

if TYPE_CHECKING:
    from shared.service import Service

Command = Callable[[], Coroutine[Any, Any, None]]


def run(commands: Mapping[str, Command], arguments: Sequence[str]) -> int:
    """Run the one of ``commands`` that ``arguments`` name.

    Returns the exit code: 0, 1 for a mistake around the process, 2 for one in the arguments or settings."""
    command = commands.get(arguments[0]) if len(arguments) == 1 else None
    if command is None:
        return _told([f"Say one of: {', '.join([*commands, 'health'])}."], 2)
    import uvloop

    try:
        uvloop.run(command())
    except ValidationError as error:
        told = settings_mistakes(error)
        if told is None:
            raise
        return _told(told, 2)
    except (Mistake, PortTaken) as error:
        return _told([str(error)], 1)
    return 0


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

    return {"api": api, "worker": worker, "migrate": migrate}


def _told(lines: Sequence[str], code: int) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return code
