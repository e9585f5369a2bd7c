"""Long loops of pure Python on the event loop: others that wait for it, health checks among them, get their turn."""

import asyncio

TURN = 100
"""Steps between two turns of others: some milliseconds."""


async def give_way(step: int) -> None:
    """To be awaited with the number of each step."""
    if step % TURN == TURN - 1:
        await asyncio.sleep(0)
