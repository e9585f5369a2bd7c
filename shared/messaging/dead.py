"""Dead letters for operators: list, show, replay. The same over every transport; nothing here prints."""

from collections.abc import Collection

from shared.messaging.transport import DeadLetter, Transport


async def list_dead(transport: Transport, queue: str, limit: int = 100) -> list[DeadLetter]:
    """The dead letters of ``queue``, oldest first. Raises ``NotFound`` for a queue that is not there."""
    return await transport.dead_list(queue, limit)


async def show_dead(transport: Transport, queue: str, id: str) -> DeadLetter:
    """One dead letter by its event id. Raises ``NotFound``."""
    return await transport.dead_show(queue, id)


async def replay_dead(transport: Transport, queue: str, ids: Collection[str] | None = None) -> int:
    """Deliver dead letters again (all: None) with a clean record and their old trace context; how many."""
    return await transport.dead_replay(queue, ids)
